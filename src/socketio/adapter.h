#pragma once
#include "async/task.h"
#include "socketio/event.h"
#include "socketio/packet.h"

#include <boost/container/small_vector.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

/// Which sockets of a namespace are meant: those in any of `rooms` (all where it is empty), less those in any of
/// `except`. A socket's id names a room of its own.
struct Selection {
  boost::container::small_vector<std::string, 1> rooms;
  std::vector<std::string> except;
  bool droppable = false;  // volatile: not worth a place in an out-queue
};

/// One outgoing event: encoded once for all local sockets, and in parts for other nodes.
struct OutgoingEvent {
  std::string_view name;
  const Arguments& args;
  EncodedPacket encoded;
};

/// What the clients of a broadcast acknowledged.
struct BroadcastAnswers {
  std::vector<Event> answers;  // in the order of their coming
  std::size_t missing = 0;     // clients that did not answer in time, or went away
};

/// How a namespace reaches its sockets, here and (another implementation) on other nodes.
///
/// Threads:  every call is thread-safe.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// False where nobody is meant, so that nothing need be encoded. Who joins while it is asked may be left out.
  virtual bool may_reach(const Selection& who) const {
    (void)who;
    return true;
  }
  virtual void broadcast(const Selection& to, const OutgoingEvent& event) = 0;
  /// `event.encoded` asks for acknowledgement `id`, which no other question of the namespace has.
  virtual Task<BroadcastAnswers> broadcast_with_ack(Selection to, EncodedPacket event, std::uint64_t id,
                                                    std::chrono::milliseconds timeout) = 0;
  /// Tells the other nodes' servers, not their clients.
  virtual void emit_to_servers(std::string_view event, const Arguments& args) = 0;
  virtual void disconnect(const Selection& who, bool close_transport) = 0;
  virtual void join(const Selection& who, std::string room) = 0;
  virtual void leave(const Selection& who, std::string room) = 0;
  virtual Task<std::size_t> count(Selection who) = 0;
};

}  // namespace rushes::socketio
