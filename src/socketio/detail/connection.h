#pragma once
#include "async/gate.h"
#include "engineio/session.h"
#include "net/timers.h"
#include "socketio/namespace.h"
#include "socketio/packet.h"
#include "socketio/recovery.h"
#include "socketio/server.h"

#include <boost/container/small_vector.hpp>

#include <chrono>
#include <cstddef>
#include <forward_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::socketio::detail {

/// What the connections of one server share on one shard.
struct ServerShard {
  ServerShard(std::size_t number, std::shared_ptr<net::Loop> shared_loop)
      : index(number), loop(std::move(shared_loop)), gate(loop->executor()) {}
  const std::size_t index;
  std::shared_ptr<net::Loop> loop;
  Gate gate;  // of running handlers
  ConnectionCounts counts;
};

/// The namespaces of a server; complete before connections come in.
struct ServerCore {
  ServerCore(const ServerOptions& settings, const Clock& time, Rng& random)
      : options(settings), clock(time), rng(random) {}

  const ServerOptions options;
  const Clock& clock;
  Rng& rng;
  std::vector<std::unique_ptr<ServerShard>> shards;
  std::map<std::string, std::unique_ptr<Namespace>, std::less<>> namespaces;
};

/// One Engine.IO session as Socket.IO sees it: several sockets, one a namespace, over one transport.
///
/// Threads:   its shard's.
/// Lifetime:  shared by its session, which lets go when it closes, and its sockets.
class Connection final : public engineio::SessionHandler, public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerCore& core, std::size_t shard, engineio::Session& session, Handshake handshake);
  ~Connection() override;

  void on_message(std::string_view text) override;
  void on_binary(std::string_view bytes) override;
  void on_close(engineio::CloseReason reason) override;

  void send(const EncodedPacket& packet);
  bool congested() const noexcept { return session_ != nullptr && session_->congested(); }
  std::size_t backlog() const noexcept { return session_ != nullptr ? session_->backlog() : 0; }
  void close();
  /// Every namespace is left by the server, so that the client comes back in none, then it closes.
  void disconnect();
  /// Takes the socket off the list; it has left.
  void forget(Socket& socket);
  std::size_t shard() const noexcept { return shard_.index; }
  /// Of the Engine.IO session, for logs; empty once it is closed.
  std::string_view sid() const noexcept { return session_ != nullptr ? session_->sid() : std::string_view(); }
  const char* transport() const noexcept { return session_ != nullptr ? session_->transport() : "none"; }
  ConnectionCounts& counts() noexcept { return shard_.counts; }
  const Handshake& handshake() const noexcept { return handshake_; }
  const ServerOptions& options() const noexcept { return core_.options; }

 private:
  /// Something is due from the client.
  struct Due;
  /// A packet whose attachments are still to come.
  struct Incomplete {
    Packet packet;
    std::vector<std::string> attachments;
    std::size_t bytes = 0;
  };
  /// What a client says of the session that it had.
  struct Former {
    std::string pid;
    std::string offset;
  };

  void take(Packet packet, std::vector<std::string> attachments);
  void connect(Packet packet);
  void take_event(Packet packet, std::vector<std::string> attachments);
  void reject(std::string_view nsp, const ConnectError& error);
  NamespaceCounts& counts_of(const Socket& socket);
  /// `missed`: of a session that goes on, whose private id is `pid`.
  void admit(const SocketPtr& socket, std::string pid, const LoggedEvents* missed);
  void refuse_packet(const Error& error);
  SocketPtr find(std::string_view nsp) const;
  /// Ends the connection and counts that, unless `due_` goes before.
  void expect(std::chrono::milliseconds within, Counter& when_late);
  void expect_nothing();

  /// The way in: middlewares, recovery, `admit`.
  static Task<> enter(std::shared_ptr<Connection> self, SocketPtr socket, std::optional<Former> former,
                      Gate::Pass pass);
  static Task<std::optional<ConnectError>> check(SocketPtr socket);
  static Task<std::optional<Resumed>> resume(SocketPtr socket, Former former);
  /// Sends what was logged while the socket came in, then lets live events through.
  static Task<> catch_up(SocketPtr socket, std::uint64_t told);
  static Task<> run_handler(const RawEventHandler& handler, SocketPtr socket, Event event, Ack ack, Gate::Pass pass);

  ServerCore& core_;
  ServerShard& shard_;
  engineio::Session* session_;  // null once closed
  const Handshake handshake_;
  boost::container::small_vector<SocketPtr, 1> sockets_;
  std::forward_list<SocketPtr> entering_;  // on their way in
  std::unique_ptr<Incomplete> incomplete_;
  std::unique_ptr<Due> due_;  // the first namespace, or attachments
};

}  // namespace rushes::socketio::detail
