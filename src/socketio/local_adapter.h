#pragma once
#include "net/loop.h"
#include "socketio/adapter.h"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio {

class Socket;

/// The sockets and rooms of one namespace in this process, in one part a shard. A broadcast is encoded
/// by its caller and handed to each shard; there it is references into out-queues.
///
/// Threads:   the Adapter's calls are thread-safe; `enter`, `exit` and those of a single socket are for
///            that socket's shard.
class LocalAdapter final : public Adapter {
 public:
  explicit LocalAdapter(const std::vector<std::shared_ptr<net::Loop>>& loops);
  ~LocalAdapter() override;

  bool may_reach(const Selection& who) const override;
  void broadcast(const Selection& to, const OutgoingEvent& event) override;
  Task<BroadcastAnswers> broadcast_with_ack(Selection to, EncodedPacket event, std::uint64_t id,
                                            std::chrono::milliseconds timeout) override;
  void emit_to_servers(std::string_view, const Arguments&) override {}  // there are none
  void disconnect(const Selection& who, bool close_transport) override;
  void join(const Selection& who, std::string room) override;
  void leave(const Selection& who, std::string room) override;
  Task<std::size_t> count(Selection who) override;

  void enter(std::size_t shard, Socket& socket);
  void exit(Socket& socket);
  /// Ends the connection of the socket with this id, wherever it is: its client has come back by another one.
  /// At once on the calling shard.
  void evict(const std::string& id);
  void join_room(Socket& socket, std::string_view room);
  void leave_room(Socket& socket, std::string_view room);

  struct Member {
    Socket* socket;
    std::uint32_t slot;  // of this room among the socket's
  };
  struct Room {
    std::string name;
    boost::container::small_vector<Member, 1> members;  // most rooms are a user's, most users have one socket
  };

 private:
  struct Part;
  struct Asked;

  /// Each selected socket once.
  static std::vector<Socket*> select(Part& part, const Selection& who);
  static std::size_t count_on(const std::shared_ptr<Part>& part, const Selection& who);
  void on_each(const Selection& who, std::function<void(Socket&)> action);
  void remove_member(Part& part, Room& room, std::size_t index);

  std::vector<std::shared_ptr<Part>> parts_;  // shared with work that is posted to the shards
};

}  // namespace rushes::socketio
