#pragma once
#include "gateways/queue_recovery.h"
#include "gateways/token_guard.h"
#include "jobs/job_queries.h"

#include <span>

namespace rushes::gateways {

/// The namespace `/queue`: what the event log says goes to the sockets of the job's owner.
///
/// Threads:  `publish` may be called from any thread, one call at a time; its order is the sockets' order.
/// Lifetime: outlives the namespace's sockets.
class QueueGateway {
 public:
  QueueGateway(socketio::Server& server, TokenGuard& guard, jobs::JobQueries& queries, jobs::EventLog& log);

  /// Before the first connection. Errors: `unavailable`.
  Task<Result<void>> start() { return recovery_.start(); }
  /// Sends committed events as `queue-update`. Does not block.
  void publish(std::span<const jobs::Event> events);

 private:
  Task<> subscribe(std::shared_ptr<socketio::Socket> socket, json::array arguments, socketio::Ack ack);

  socketio::Namespace& nsp_;
  jobs::JobQueries& queries_;
  QueueRecovery recovery_;
};

}  // namespace rushes::gateways
