#pragma once
#include "async/task.h"
#include "socketio/event.h"
#include "socketio/packet.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

/// Which sockets of a namespace are meant: those in any of `rooms` (all where it is empty), less those in any of
/// `except`. A socket's id names a room of its own.
struct Selection {
  std::vector<std::string> rooms;
  std::vector<std::string> except;
  bool droppable = false;  // volatile: not worth a place in an out-queue
};

/// One outgoing event: encoded once for all local sockets, and in parts for other nodes.
struct OutgoingEvent {
  std::string_view name;
  const Arguments& args;
  EncodedPacket encoded;
};

/// How a namespace reaches its sockets, here and (another implementation) on other nodes.
///
/// Threads:  every call is thread-safe.
class Adapter {
 public:
  virtual ~Adapter() = default;
  virtual void broadcast(const Selection& to, const OutgoingEvent& event) = 0;
  virtual void disconnect(const Selection& who, bool close_transport) = 0;
  virtual void join(const Selection& who, std::string room) = 0;
  virtual void leave(const Selection& who, std::string room) = 0;
  virtual Task<std::size_t> count(Selection who) = 0;
};

}  // namespace rushes::socketio
