#pragma once
#include "async/task.h"
#include "socketio/packet.h"
#include "socketio/socket.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::socketio {

/// Events of a recovery log, ready to be sent.
struct LoggedEvents {
  std::vector<EncodedPacket> packets;  // in the log's order, each with its `order`
  std::uint64_t last = 0;              // the order up to which they tell everything
};

/// A session that goes on where it was cut.
struct Resumed {
  std::string socket_id;
  LoggedEvents missed;
};

/// Connection state recovery of a namespace, out of a log that the application keeps: a client that was cut
/// off comes back as the socket that it was and gets what it missed, in order and once, also after a restart.
/// Each event that counts is emitted by `Broadcast::logged`, its last argument being its offset: a text,
/// which the unmodified client remembers and shows again.
/// https://socket.io/docs/v4/connection-state-recovery, of whose client this is the other side.
///
/// Middlewares run first, always: whoever may not come in any more is not let in by what it once had. Rooms
/// are those that `on_connection` joins. Nothing is kept in memory for those who are away.
///
/// Threads:   called on the socket's shard.
/// Lifetime:  outlives the namespace's sockets.
class Recovery {
 public:
  virtual ~Recovery() = default;

  /// The private id of a new session, which only this client will be able to show again.
  virtual std::string issue(const Socket& socket) = 0;

  /// The session that `pid` stands for, where it was issued to this very client and all that was logged for it
  /// behind `offset` (empty: behind its start) is still there. Nothing: the client gets a new session, and can
  /// tell by `socket.recovered`.
  virtual Task<std::optional<Resumed>> resume(SocketPtr socket, std::string pid, std::string offset) = 0;

  /// What has been logged for this client since `order`; nothing where that cannot be told, which ends the
  /// connection.
  virtual Task<std::optional<LoggedEvents>> since(SocketPtr socket, std::uint64_t order) = 0;
};

}  // namespace rushes::socketio
