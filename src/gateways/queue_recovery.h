#pragma once
#include "jobs/event.h"
#include "socketio/recovery.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::gateways {

/// Connection state recovery of `/queue` out of the durable event log: nothing is remembered of a client
/// that is away, so it may come back after an hour, to a server that was started anew meanwhile.
///
/// The private id says where in the log the session began and carries a MAC over that, the namespace, the user and
/// the socket's id, with a key of the log's own. The offset of an event is `<log>-<seq>-<id>`: which log, the
/// user's sequence number, the event's place in the whole log; and `-<id>` of the user's last filed event, where it is
/// progress, which may never be filed.
///
/// Threads:   thread-safe, but `start`.
/// Lifetime:  the log outlives it.
class QueueRecovery final : public socketio::Recovery {
 public:
  explicit QueueRecovery(jobs::EventLog& log) : log_(log) {}

  /// Reads which log it is. Before the first connection and the first event. Errors: `unavailable`.
  Task<Result<void>> start();

  /// Events up to this one have been given to the sockets, or are about to be.
  void told(std::int64_t event) noexcept { told_.store(event, std::memory_order_release); }
  std::string offset_of(const jobs::Event& event) const;

  std::string issue(const socketio::Socket& socket) override;
  Task<std::optional<socketio::Resumed>> resume(socketio::SocketPtr socket, std::string pid,
                                                std::string offset) override;
  Task<std::optional<socketio::LoggedEvents>> since(socketio::SocketPtr socket, std::uint64_t order) override;

 private:
  struct Session;
  struct Place;

  std::string mac_of(std::string_view body, const socketio::Socket& socket) const;
  std::optional<Session> read_pid(const socketio::Socket& socket, std::string_view pid) const;
  std::optional<Place> read_offset(std::string_view offset) const;
  /// Whether the log still is the one that the client knows, and nothing that it needs is gone behind this place.
  Task<bool> is_whole_behind(UserId user, Place place);
  /// What the log has behind the session's start, or behind its offset.
  Task<std::optional<socketio::LoggedEvents>> behind(UserId user, std::int64_t start, std::optional<Place> place);
  socketio::LoggedEvents encode(std::vector<jobs::Event> events, std::int64_t last) const;

  jobs::EventLog& log_;
  std::string key_;
  std::string epoch_;  // short for the log's identity
  std::atomic<std::int64_t> told_{0};
};

/// Leaves out progress that later events of the same job have overtaken: what a client needs that has missed much.
std::vector<jobs::Event> without_overtaken(std::vector<jobs::Event> events);

}  // namespace rushes::gateways
