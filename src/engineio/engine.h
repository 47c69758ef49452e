#pragma once
#include "async/gate.h"
#include "async/shards.h"
#include "base/random.h"
#include "engineio/session.h"
#include "net/router.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::engineio {

/// Makes what stands on a new session; called on its shard, before `on_open`. What it sends by the session waits for
/// the open packet. `request` is the session's first and may be moved from.
using HandlerFactory = std::function<std::shared_ptr<SessionHandler>(Session& session, net::Request& request)>;

/// An Engine.IO v4 server: sessions, found by their id on the shard that it names, over long-polling and
/// WebSocket.
///
/// Threads:   `attach` before the HTTP server starts; `stop` from outside the shards; `loop` from anywhere.
/// Lifetime:  `shards` and `rng` outlive it; it outlives the HTTP server that serves its router.
class Engine {
 public:
  Engine(Shards& shards, Options options, Rng& rng, HandlerFactory factory);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// What a client of Engine.IO 3, which this is not, gets in answer to its handshake by polling: messages of its
  /// protocol that can tell its user so. Without them it is refused, and shows "xhr poll error". Before `attach`.
  void answer_version_3(const std::vector<std::string>& messages);

  /// Serves the options' path, with and without its last slash.
  void attach(net::Router& router);

  /// Closes all sessions, so that clients reconnect, and refuses new ones. Safe to call twice.
  Task<> stop();

  const std::shared_ptr<net::Loop>& loop(std::size_t shard) const { return parts_[shard]->sessions.loop; }
  std::size_t shards() const noexcept { return parts_.size(); }
  /// Thread-safe.
  const SessionCounts& counts(std::size_t shard) const { return parts_[shard]->sessions.counts; }
  /// Sessions that have not closed.
  std::size_t connections() const noexcept;

 private:
  struct Part {
    Part(const Options& options, const Executor& executor) : sessions(options), gate(executor) {}
    SessionShard sessions;
    Gate gate;  // of polls
  };
  struct Query;
  enum class Found : std::uint8_t { unknown, upgradable, taken };

  Task<net::Response> handle(net::Request& request);
  Task<net::UpgradeAnswer> handle_upgrade(net::Request& request);
  net::Response open(net::Request& request);
  Task<net::Response> poll(std::size_t shard, std::string sid);
  /// What a POST is refused with before its body is read.
  Task<std::optional<net::Response>> refuse_message(std::size_t shard, std::string sid);
  Task<net::Response> receive(std::size_t shard, std::string sid, std::string payload);
  Task<Found> look_up(std::size_t shard, std::string sid);
  Task<> stop_shard(std::size_t shard);
  Session* find(std::size_t shard, std::string_view sid);
  Session& add_session(std::size_t shard);

  Shards& shards_;
  const Options options_;
  Rng& rng_;
  const HandlerFactory factory_;
  std::string version_3_answer_;  // a payload; empty: none
  std::vector<std::unique_ptr<Part>> parts_;
  bool stopped_ = false;
};

}  // namespace rushes::engineio
