#include "api/job_events.h"

#include "base/json_writer.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace rushes::api {
namespace {

using std::chrono::steady_clock;

constexpr int kPage = 100;  // events read from the log at once
constexpr std::chrono::seconds kHeartbeat{15};
// Neither ends with a blank line: some clients hand on every block that a blank line ends, also one without data.
constexpr std::string_view kRetry = "retry: 2000\n";  // ms until an EventSource comes again; belongs to the first event
constexpr std::string_view kComment = ":\n";          // keeps proxies from taking silence for an end

bool is_end(jobs::EventType type) {
  return type == jobs::EventType::completed || type == jobs::EventType::failed || type == jobs::EventType::cancelled;
}

/// Whether the log may have more behind what was read.
bool may_go_on(const std::vector<jobs::Event>& page, int limit) {
  std::size_t bytes = 0;
  for (const auto& event : page) bytes += event.payload.size();
  return page.size() == static_cast<std::size_t>(limit) || bytes >= jobs::EventLog::kPageBytes;
}

class JobEvents final : public net::BodySource {
 public:
  JobEvents(const Context& context, const auth::Identity& identity, JobId job, std::int64_t seq,
            std::unique_ptr<Follower> follower, std::vector<jobs::Event> first_page)
      : context_(context), identity_(identity), job_(std::move(job)), seq_(seq), follower_(std::move(follower)) {
    take_page(first_page);
    spoke_at_ = steady_clock::now();
  }

  Task<Result<std::string>> next() override {
    for (;;) {
      if (!text_.empty()) co_return give();
      if (stopped_ || (ended_ && !behind_)) co_return std::string();
      if (auto stands = still_stands(); !stands) co_return refused(stands.error());
      if (behind_) {
        const auto page = co_await context_.log.of_job_after(identity_.user, job_, seq_, kPage);
        if (!page) co_return page.error();
        take_page(*page);
        continue;
      }
      const auto taken = follower_->take();
      for (const auto& event : taken.events) add(*event);
      behind_ = taken.missed;
      if (behind_ || !text_.empty()) continue;
      if (steady_clock::now() >= spoke_at_ + kHeartbeat) {
        text_ = kComment;
        continue;
      }
      const auto left = std::max(std::chrono::milliseconds(1), identity_.expires_at - context_.clock.now());
      const auto until =
          std::min(spoke_at_ + kHeartbeat, steady_clock::now() + std::min<std::chrono::milliseconds>(left, kHeartbeat));
      co_await follower_->wait(until);
    }
  }

  void stop() override {
    stopped_ = true;
    follower_->wake();
  }

 private:
  void take_page(const std::vector<jobs::Event>& page) {
    for (const auto& event : page) add(event);
    behind_ = may_go_on(page, kPage);
  }

  void add(const jobs::Event& event) {
    // The log and what came live meet. But who has seen numbers that are given anew is told of the end.
    const bool is_last = !told_ && is_end(event.type);
    if (event.seq <= seq_ && !is_last) return;
    told_ = true;
    seq_ = event.seq;
    ended_ = is_end(event.type);
    text_ += "id: " + std::to_string(event.seq) + "\nevent: ";
    text_ += to_string(event.type);
    text_ += "\ndata: " + event.payload + "\n\n";
  }

  std::string give() {
    spoke_at_ = steady_clock::now();
    return std::exchange(text_, {});
  }

  Result<void> still_stands() const {
    if (context_.clock.now() < identity_.expires_at) return context_.credentials.check(identity_);
    return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED", "The token has expired; sign in again.");
  }

  std::string refused(const Error& why) {
    if (std::exchange(stopped_, true)) return {};
    const json::object data{{"code", why.public_name()}, {"message", why.public_message()}};
    return "event: auth-error\ndata: " + to_json_text(data) + "\n\n";
  }

  const Context& context_;
  const auth::Identity identity_;
  const JobId job_;
  std::int64_t seq_;  // of the last event that was added
  const std::unique_ptr<Follower> follower_;
  std::string text_{kRetry};
  steady_clock::time_point spoke_at_;
  bool behind_ = false;  // there may be more in the log
  bool told_ = false;    // something
  bool ended_ = false;   // the last event is the job's end
  bool stopped_ = false;
};

Result<std::int64_t> read_seq(std::string_view name, std::string_view text) {
  if (text.empty()) return 0;
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size() && value >= 0) return value;
  return Error::for_user(
      Errc::invalid_argument, "QUERY_INVALID",
      std::string(name) + " " + shorten(text, 40) + " is no event's number: take `seq` of one, or 0.");
}

/// Where the reader stands: an EventSource that comes again says so in the header, whatever its URL says.
Result<std::int64_t> seq_of(const net::Request& request) {
  if (const auto header = request.headers.find("Last-Event-ID")) return read_seq("Last-Event-ID", *header);
  return read_seq("after", request.query_param("after").value_or(""));
}

void append(std::string& text, const jobs::Event& event) {
  text += text.back() == '[' ? "{\"seq\":" : ",{\"seq\":";
  text += std::to_string(event.seq) + ",\"type\":";
  append_json_string(text, to_string(event.type));
  text += ",\"at\":";
  append_json_string(text, to_rfc3339(event.at));
  text += ",\"payload\":" + event.payload + "}";
}

Task<net::Response> list(const Context& context, const net::Request& request, const auth::Identity& identity, JobId job,
                         std::int64_t seq) {
  const auto limit = query_number(request, "limit", kPage, 1, 1'000);
  if (!limit) co_return net::problem(limit.error());
  const auto found = co_await context.jobs.queries().find(identity.user, job);
  if (!found) co_return net::problem(found.error());
  const auto events = co_await context.log.of_job_after(identity.user, job, seq, *limit);
  if (!events) co_return net::problem(events.error());
  std::string text = "{\"events\":[";
  for (const auto& event : *events) append(text, event);
  text += "]";
  if (may_go_on(*events, *limit)) text += ",\"next\":" + std::to_string(events->back().seq);
  text += "}";
  net::Response response(200, "application/json", std::move(text));
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

Task<net::Response> stream(const Context& context, const auth::Identity& identity, JobId job, std::int64_t seq) {
  auto source = co_await follow_job(context, identity, std::move(job), seq);
  if (!source) co_return net::problem(source.error());
  if (!*source) co_return net::Response(204);  // an EventSource comes no more
  net::Response response(200);
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // nginx would hold it back
  response.stream = std::move(*source);
  co_return response;
}

/// Whether `Accept` names an event stream, and not with `q=0` (RFC 9110, 12.4.2: "not acceptable").
bool accepts_stream(std::string_view accept) {
  while (!accept.empty()) {
    auto range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), range.size() + 1));
    const auto type = range.substr(0, range.find(';'));
    if (!equals_ignore_case(trim(type), "text/event-stream")) continue;
    range.remove_prefix(type.size());
    bool refused = false;
    while (!range.empty()) {
      range.remove_prefix(1);
      const auto parameter = range.substr(0, range.find(';'));
      range.remove_prefix(parameter.size());
      const auto text = trim(parameter);
      const bool is_weight = equals_ignore_case(text.substr(0, 2), "q=");
      if (is_weight) refused = text.size() > 2 && text.find_first_not_of("0.", 2) == std::string_view::npos;
    }
    if (!refused) return true;
  }
  return false;
}

Task<net::Response> job_events(const Context& context, net::Request& request, auth::Identity identity) {
  const auto seq = seq_of(request);
  if (!seq) co_return net::problem(seq.error());
  JobId job(request.params.at("id"));
  if (!accepts_stream(request.headers.get("Accept"))) {
    co_return co_await list(context, request, identity, std::move(job), *seq);
  }
  co_return co_await stream(context, identity, std::move(job), *seq);
}

/// Whether the reader has seen what the log never had, as after the restore of a backup.
Task<Result<bool>> is_ahead(const Context& context, const UserId& user, std::int64_t seq) {
  constexpr auto kLost = jobs::EventLog::kLostNumbers;
  if (seq <= kLost) co_return false;
  const auto behind = co_await context.log.of_user_after(user, seq - 1 - kLost, 1);
  if (!behind) co_return behind.error();
  co_return behind->empty();
}

}  // namespace

Task<Result<std::unique_ptr<net::BodySource>>> follow_job(const Context& context, const auth::Identity& identity,
                                                          JobId job, std::int64_t seq) {
  // In this order: what the log does not have yet when it is read comes live, and a job that has ended by then and has
  // nothing in the log has nothing more to tell.
  const Executor executor = co_await asio::this_coro::executor;
  auto follower = std::make_unique<Follower>(context.streams, job, executor);
  const auto found = co_await context.jobs.queries().find(identity.user, job);
  if (!found) co_return found.error();
  auto page = co_await context.log.of_job_after(identity.user, job, seq, kPage);
  if (!page) co_return page.error();
  if (page->empty()) {
    const auto ahead = co_await is_ahead(context, identity.user, seq);
    if (!ahead) co_return ahead.error();
    if (*ahead) {
      seq = 0;
      page = co_await context.log.of_job_after(identity.user, job, seq, kPage);
      if (!page) co_return page.error();
    }
  }
  if (page->empty() && jobs::is_end(found->state)) co_return std::unique_ptr<net::BodySource>();
  co_return std::make_unique<JobEvents>(context, identity, std::move(job), seq, std::move(follower), *page);
}

void add_job_event_route(net::Router& router, const Context& context) {
  router.add("GET", "/analyze/job/{id}/events", with_user(context, bound(context, job_events), {"after", "limit"}));
}

}  // namespace rushes::api
