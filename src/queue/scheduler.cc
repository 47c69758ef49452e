#include "queue/scheduler.h"

#include "jobs/retry_policy.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>

namespace rushes::queue {
namespace {

constexpr std::chrono::milliseconds kLongestSleep{10'000};
constexpr int kPositionsAtOnce = 500;
// Between tries to write while the store is away.
constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{2'000};
constexpr int kTriesOnceStopping = 5;

}  // namespace

/// One running attempt, from its claim until its end is written down.
struct Scheduler::Attempt final : ProgressSink {
  enum class Stop : std::uint8_t { none, cancelled, handed_back, lease_lost };

  Attempt(const Executor& executor, jobs::JobStore& jobs, const jobs::Claimed& claimed)
      : store(jobs),
        lease(claimed.lease),
        failed_before(claimed.failed),
        ended(executor, asio::steady_timer::time_point::max()) {}

  Task<> report(jobs::ProgressReport progress) override {
    const auto written = co_await store.report(lease, std::move(progress));
    if (!written && written.error().code() != Errc::lease_lost) {
      // The next report, or the end, is written when the store is back.
      log::warning("queue", "progress not written job={}: {}", lease.job.value(), written.error().what());
    }
  }

  Task<> checkpoint(std::string name, std::string data) override {
    const auto kept = co_await store.save_checkpoint(lease, std::move(name), std::move(data));
    if (!kept && kept.error().code() != Errc::lease_lost) {
      log::warning("queue", "checkpoint not kept job={}: {}", lease.job.value(), kept.error().what());
    }
  }

  jobs::JobStore& store;
  jobs::Lease lease;
  const int failed_before;
  Stop stop = Stop::none;
  asio::steady_timer ended;  // never fires; cancelled when the attempt is over
};

Scheduler::Scheduler(Executor executor, jobs::JobStore& store, jobs::JobQueries& queries, AttemptRunner& runner,
                     Rng& rng, SchedulerOptions options)
    : executor_(executor),
      store_(store),
      queries_(queries),
      runner_(runner),
      rng_(rng),
      options_(options),
      gate_(executor),
      claim_timer_(executor),
      lease_timer_(executor),
      position_timer_(executor),
      claim_over_(executor, asio::steady_timer::time_point::max()) {}

Scheduler::~Scheduler() = default;

Task<> Scheduler::start() {
  co_await take_up();
  for (const auto loop : {&Scheduler::claim_loop, &Scheduler::lease_loop, &Scheduler::position_loop}) {
    if (auto pass = gate_.try_enter()) spawn_detached(executor_, "queue", (this->*loop)(std::move(*pass)));
  }
}

Task<> Scheduler::take_up() {
  const auto taken = co_await store_.take_over(true);
  taken_up_ = taken.has_value();
  if (!taken) {
    log::error("queue", "cannot take up unfinished jobs yet: {}", taken.error().what());
  } else if (*taken > 0) {
    log::info("queue", "took up {} jobs that a stopped server left running", *taken);
  }
}

void Scheduler::wake() {
  if (waking_.exchange(true)) return;  // it is on its way
  asio::post(executor_, [this] {
    waking_ = false;
    woken_ = true;
    positions_changed_ = true;
    claim_timer_.cancel();
  });
}

Task<> Scheduler::claim_loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!stopping_) {
    woken_ = false;
    bool away = false;  // the store
    // Before the first claim: what a stopped server left is told apart from what runs here by that alone.
    if (!taken_up_) co_await take_up();
    const bool due = due_ && *due_ <= SystemClock().now();
    if (due) positions_changed_ = true;
    const int free = look_for_room() ? runner_.capacity() - static_cast<int>(running_.size()) : 0;
    // What is due comes to wait by a claim, even of nothing; and a claim that was not answered is asked for again.
    if (taken_up_ && (free > 0 || due || claim_key_ != 0)) {
      jobs::ClaimRequest request;
      request.lease_for = options_.lease;
      request.sharing = options_.sharing;
      request.limit = std::max(free, 0);
      if (claim_key_ == 0) claim_key_ = rng_.next_u64();
      request.key = claim_key_;
      claiming_ = true;
      auto claimed = co_await store_.claim(request);
      claiming_ = false;
      if (!claimed) {
        away = true;
        log::warning("queue", "cannot claim: {}", claimed.error().what());
      } else {
        claim_key_ = 0;
        for (auto& one : *claimed) {
          positions_changed_ = true;
          auto attempt = std::make_shared<Attempt>(executor_, store_, one);
          auto entered = gate_.try_enter();
          if (!entered) {  // stopping: it was claimed a moment too late
            co_await store_.release(one.lease);
            continue;
          }
          running_.insert_or_assign(one.job.id, attempt);  // one that waits to hear of its end may be there still
          spawn_detached(executor_, "queue", run_attempt(std::move(one), std::move(attempt), std::move(*entered)));
        }
      }
      claim_over_.cancel();
    }
    auto sleep = kLongestPause;
    if (taken_up_ && !away) sleep = co_await until_next_due();
    if (!had_room_) sleep = std::min(sleep, kLongestPause);
    if (!woken_) co_await wait(claim_timer_, sleep);
  }
  if (claim_key_ != 0) co_await release_unanswered();
}

/// What a claim began that was not answered is worked on by nobody.
Task<> Scheduler::release_unanswered() {
  jobs::ClaimRequest request;
  request.lease_for = options_.lease;
  request.sharing = options_.sharing;
  request.limit = 0;
  request.key = claim_key_;
  const auto claimed = co_await store_.claim(request);
  if (!claimed) co_return;
  for (const auto& one : *claimed) co_await store_.release(one.lease);
}

Task<std::chrono::milliseconds> Scheduler::until_next_due() {
  const auto due = co_await queries_.next_due();
  due_ = due ? *due : std::nullopt;
  if (!due_) co_return kLongestSleep;
  const auto left = *due_ - SystemClock().now();
  co_return std::clamp(left, std::chrono::milliseconds(1), kLongestSleep);
}

bool Scheduler::look_for_room() {
  const auto room = options_.has_room();
  if (room.has_value() == had_room_) return had_room_;
  had_room_ = room.has_value();
  if (had_room_) {
    log::warning("queue", "there is room to work again");
  } else {
    log::error("queue", "nothing is begun: {}", room.error().what());
  }
  return had_room_;
}

Task<> Scheduler::run_attempt(jobs::Claimed claimed, std::shared_ptr<Attempt> attempt, Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto job = claimed.job.id;
  const auto replaced = claimed.job.audit;  // by a restart, once the new analysis is saved
  log::info("queue", "attempt started job={} type={} attempt={}", job.value(), to_string(claimed.job.type),
            claimed.job.attempt);
  AttemptEnd end;
  if (attempt->stop == Attempt::Stop::none) end = co_await runner_.run(std::move(claimed), *attempt);
  const auto* failure = end.result ? std::get_if<jobs::Failure>(&*end.result) : nullptr;
  if (failure != nullptr && failure->retryable && !look_for_room()) {
    log::warning("queue", "attempt handed back, the disk has no room job={} code={}", job.value(), failure->code);
    end.result.reset();
  }
  const auto* completion = end.result ? std::get_if<jobs::Completion>(&*end.result) : nullptr;
  const auto made = completion != nullptr ? std::optional(completion->audit) : std::nullopt;

  const auto written = co_await write_end(*attempt, std::move(end));
  if (!written) {
    log::warning("queue", "attempt's end not accepted job={}: {}", job.value(), written.error().what());
    // A commit that failed may turn out to have come about after a crash: what it names is kept.
    if (made && written.error().code() != Errc::unavailable) co_await runner_.discard(*made);
  } else if (made && replaced) {
    co_await runner_.discard(*replaced);
  }
  const auto own = running_.find(job);
  if (own != running_.end() && own->second == attempt) running_.erase(own);
  attempt->ended.cancel();
  wake();
}

Task<Result<void>> Scheduler::write_once(Attempt& attempt, const AttemptEnd& end, std::chrono::milliseconds retry_in) {
  if (end.result && std::holds_alternative<jobs::Completion>(*end.result)) {
    co_return co_await store_.complete(attempt.lease, std::get<jobs::Completion>(*end.result));
  }
  if (attempt.stop == Attempt::Stop::cancelled) co_return co_await store_.confirm_cancelled(attempt.lease);
  if (!end.result) co_return co_await store_.release(attempt.lease);
  const auto failure = std::get<jobs::Failure>(*end.result);
  log::info("queue", "attempt failed job={} code={}: {}", attempt.lease.job.value(), failure.code, failure.message);
  const auto after = co_await store_.fail(attempt.lease, failure, retry_in);
  co_return after ? Result<void>() : Result<void>(after.error());
}

Task<Result<void>> Scheduler::write_end(Attempt& attempt, AttemptEnd end) {
  std::chrono::milliseconds delay{};
  if (end.result && std::holds_alternative<jobs::Failure>(*end.result)) {
    const auto error = jobs::class_of(std::get<jobs::Failure>(*end.result));
    delay = jobs::retry_delay(error, attempt.failed_before + 1, rng_);
  }
  if (attempt.stop == Attempt::Stop::lease_lost) co_return Error(Errc::lease_lost, "the lease ran out");
  int tries_left = kTriesOnceStopping;
  for (auto pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    // Again although the lease is lost meanwhile: it may be so because the last try has come about.
    const auto written = co_await write_once(attempt, end, delay);
    if (written || written.error().code() != Errc::unavailable) co_return written;
    // However long the disk is full: the lease is renewed meanwhile, and the work is not to be done again.
    if (stopping_ && --tries_left == 0) co_return written;
    co_await sleep_for(pause);
  }
}

Task<> Scheduler::lease_loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!stopping_) {
    // A third of the lease: two renewals may fail before it is lost.
    co_await wait(lease_timer_, options_.lease / 3);
    if (stopping_) break;
    co_await renew_all();
    if (!taken_up_) continue;
    const auto taken = co_await store_.take_over(false);
    if (taken && *taken > 0) wake();
  }
}

Task<> Scheduler::renew_all() {
  std::vector<std::shared_ptr<Attempt>> attempts;
  for (const auto& [job, attempt] : running_) attempts.push_back(attempt);
  for (const auto& attempt : attempts) {
    const auto renewed = co_await store_.renew(attempt->lease, options_.lease);
    if (renewed) {
      attempt->lease.expires_at = renewed->expires_at;
    } else if (renewed.error().code() == Errc::cancelled) {
      attempt->stop = Attempt::Stop::cancelled;
      runner_.stop(attempt->lease.job);
    } else if (renewed.error().code() == Errc::lease_lost) {
      attempt->stop = Attempt::Stop::lease_lost;
      runner_.stop(attempt->lease.job);
    }
  }
}

Task<> Scheduler::position_loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!stopping_) {
    co_await wait(position_timer_, options_.position_interval);
    if (stopping_ || !positions_changed_) continue;
    positions_changed_ = false;
    const auto left = co_await store_.announce_positions(kPositionsAtOnce);
    if (!left || *left > 0) positions_changed_ = true;
  }
}

Task<> Scheduler::stop_attempt(JobId job) {
  boost::system::error_code over;
  // It may have been claimed, durably, a moment before this scheduler is told.
  while (claiming_ && !running_.contains(job)) {
    co_await claim_over_.async_wait(asio::redirect_error(asio::use_awaitable, over));
  }
  const auto found = running_.find(job);
  if (found == running_.end()) co_return;
  const auto attempt = found->second;
  attempt->stop = Attempt::Stop::cancelled;
  runner_.stop(job);
  boost::system::error_code woken;
  while (running_.contains(job) && running_.at(job) == attempt) {
    co_await attempt->ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

Task<> Scheduler::stop() {
  stopping_ = true;
  claim_timer_.cancel();
  lease_timer_.cancel();
  position_timer_.cancel();
  for (const auto& [job, attempt] : running_) {
    if (attempt->stop == Attempt::Stop::none) attempt->stop = Attempt::Stop::handed_back;
    runner_.stop(job);
  }
  co_await gate_.close();
}

Task<> Scheduler::wait(asio::steady_timer& timer, std::chrono::milliseconds length) {
  if (stopping_) co_return;
  timer.expires_after(length);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace rushes::queue
