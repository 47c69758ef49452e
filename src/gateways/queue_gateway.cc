#include "gateways/queue_gateway.h"

#include "jobs/job_json.h"

namespace rushes::gateways {
namespace {

// No user has more unfinished jobs than one page of the queue's largest limit by default.
constexpr int kMostJobs = 200;

/// Of a job's progress.
std::uint64_t topic_of(const JobId& job) { return std::hash<std::string>()(job.value()) | 1U; }

}  // namespace

QueueGateway::QueueGateway(socketio::Server& server, TokenGuard& guard, jobs::JobQueries& queries, jobs::EventLog& log)
    : nsp_(server.of("/queue")), queries_(queries), recovery_(log) {
  guard.install(nsp_);
  nsp_.recover_with(recovery_);
  nsp_.on("subscribe-queue",
          [this](std::shared_ptr<socketio::Socket> socket, json::array arguments, socketio::Ack ack) {
            return subscribe(std::move(socket), std::move(arguments), std::move(ack));
          });
}

void QueueGateway::publish(std::span<const jobs::Event> events) {
  if (!events.empty()) recovery_.told(events.back().id);
  for (const auto& event : events) {
    auto owner = nsp_.to(TokenGuard::room_of(event.user)).logged(static_cast<std::uint64_t>(event.seq));
    if (event.type == jobs::EventType::progress) owner = owner.replacing(topic_of(event.job));
    owner.emit("queue-update", socketio::RawJson{event.payload}, recovery_.offset_of(event));
  }
}

Task<> QueueGateway::subscribe(std::shared_ptr<socketio::Socket> socket, json::array arguments, socketio::Ack ack) {
  (void)arguments;
  jobs::JobFilter filter;
  filter.unfinished_only = true;
  filter.limit = kMostJobs;
  const auto page = co_await queries_.list(identity_of(*socket).user, std::move(filter));
  if (!page) {
    const json::object answer{{"success", false}, {"error", page.error().public_message()}};
    ack(answer);
    if (!ack.requested()) socket->emit("exception", answer);
    co_return;
  }
  const json::object subscribed{{"success", true}};
  socket->emit("subscribed", subscribed);
  json::array unfinished;
  for (const auto& job : page->jobs) unfinished.push_back(jobs::job_summary(job));
  const json::object answer{{"success", true}, {"jobs", std::move(unfinished)}};
  ack(answer);
}

}  // namespace rushes::gateways
