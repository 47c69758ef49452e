#include "worker/pool.h"

#include "jobs/job_json.h"

#include <filesystem>
#include <system_error>

namespace rushes::worker {
namespace fs = std::filesystem;

/// One attempt in its process.
struct Pool::Running {
  explicit Running(const Executor& executor) : deadline(executor), ear(executor) {}

  Idle worker;
  bool stopped = false;
  bool timed_out = false;
  bool silent = false;
  bool listened_to = true;  // not while the store is told what it said
  int unheard = 0;          // looks since its last message
  asio::steady_timer deadline;
  asio::steady_timer ear;
};

namespace {

// So often a silent process is looked at before it is taken for lost: a machine that stood still for a while is one.
constexpr int kLooks = 5;

queue::AttemptEnd failed(jobs::Failure failure) { return {queue::AttemptResult(std::move(failure))}; }

jobs::Failure server_failure(const Error& error) {
  log::error("worker", "attempt cannot run: {}", error.what());
  return {"SERVER_UNAVAILABLE", "The server could not start the work; it will be tried again.", true, error.what()};
}

}  // namespace

Pool::Pool(Executor executor, const queue::DataFolder& folder, BlockingPool& blocking, const Clock& clock, Rng& rng,
           PoolOptions options)
    : executor_(executor),
      folder_(folder),
      blocking_(blocking),
      clock_(clock),
      rng_(rng),
      options_(std::move(options)),
      idle_timer_(executor) {}

Pool::~Pool() = default;

Task<queue::AttemptEnd> Pool::run(jobs::Claimed attempt, queue::ProgressSink& progress) {
  Running running(executor_);
  const auto job = attempt.job.id;
  running_[job] = &running;

  queue::AttemptEnd end;
  auto order = co_await prepare(attempt);
  auto worker = co_await take_process();
  if (!order) {
    end = failed(server_failure(order.error()));
  } else if (!worker) {
    end = failed(server_failure(worker.error()));
  } else {
    running.worker = std::move(*worker);
    const auto scratch = order->scratch;
    if (!running.stopped) {
      end = co_await converse(running, std::move(*order), progress);
    } else {
      keep(std::move(running.worker));
    }
    auto clear = [scratch] {
      std::error_code ignored;  // prepare() of the next start removes what is left
      fs::remove_all(scratch, ignored);
      return 0;
    };
    co_await blocking_.run(std::move(clear));
  }
  running_.erase(job);
  co_return end;
}

Task<Result<pipelines::Order>> Pool::prepare(const jobs::Claimed& attempt) {
  pipelines::Order order;
  order.job = attempt.job.id;
  order.audit = AuditId(new_uuid(clock_, rng_));
  order.type = attempt.job.type;
  order.created_at = attempt.job.created_at;
  order.title = attempt.job.title;
  order.url = attempt.job.url;
  order.input = jobs::input_of(attempt.job);
  order.body = attempt.body;
  order.checkpoints = attempt.checkpoints;
  if (const auto upload = string_member(order.input, "upload")) {
    order.source = folder_.upload(JobId(*upload)) / "source";
  }
  order.scratch = folder_.scratch(order.job, attempt.job.attempt);
  order.output = order.scratch / "output";
  order.files_url = "/files/" + queue::DataFolder::new_files_key(order.audit, rng_);
  auto make = [output = order.output] {
    std::error_code error;
    fs::create_directories(output, error);
    return error;
  };
  const auto error = co_await blocking_.run(std::move(make));
  if (error) co_return Error(Errc::unavailable, order.output.string() + ": " + error.message());
  co_return order;
}

Task<Result<Pool::Idle>> Pool::take_process() {
  while (!idle_.empty()) {
    auto warm = std::move(idle_.back());
    idle_.pop_back();
    if (!warm.process->has_exited()) co_return std::move(warm);
  }
  auto started = Process::start(executor_, options_.process);
  if (!started) co_return started.error();
  log::debug("worker", "process started pid={}", (*started)->pid());
  co_return Idle{std::move(*started), 0, {}};
}

void Pool::listen_for_beats(Running& running, const JobId& job) const {
  running.ear.expires_after(options_.silence / kLooks);
  running.ear.async_wait([this, job](boost::system::error_code cancelled) {
    const auto found = running_.find(job);
    if (cancelled || found == running_.end()) return;
    auto& attempt = *found->second;
    attempt.silent = attempt.listened_to && ++attempt.unheard > kLooks;
    if (!attempt.worker.process) return;
    if (attempt.silent) return attempt.worker.process->kill();
    listen_for_beats(attempt, job);
  });
}

/// What is not the attempt's end.
Task<bool> Pool::pass_on(Running& running, FromWorker& message, queue::ProgressSink& progress) {
  running.listened_to = false;
  bool passed = true;
  if (auto* report = std::get_if<Report>(&message)) {
    co_await progress.report(std::move(report->progress));
  } else if (auto* checkpoint = std::get_if<Checkpoint>(&message)) {
    co_await progress.checkpoint(std::move(checkpoint->name), std::move(checkpoint->data));
  } else {
    passed = std::holds_alternative<Alive>(message);
  }
  running.listened_to = true;
  co_return passed;
}

Task<queue::AttemptEnd> Pool::converse(Running& running, pipelines::Order order, queue::ProgressSink& progress) {
  auto& process = *running.worker.process;
  running.deadline.expires_after(options_.longest_attempt);
  running.deadline.async_wait([this, job = order.job](boost::system::error_code cancelled) {
    const auto found = running_.find(job);
    if (cancelled || found == running_.end()) return;
    if (!found->second->worker.process) return;
    found->second->timed_out = true;
    found->second->worker.process->kill();
  });

  listen_for_beats(running, order.job);

  process.output().clear();
  auto text = encode(order);
  order.body.clear();
  order.checkpoints.clear();
  const auto sent = co_await process.send(std::move(text));
  if (!sent) co_return co_await buried(running);
  for (;;) {
    auto message = co_await process.receive();
    if (!message) co_return co_await buried(running);
    running.unheard = 0;
    const bool goes_on = co_await pass_on(running, *message, progress);
    if (goes_on) continue;
    if (running.stopped || running.timed_out || running.silent) co_return co_await buried(running);
    running.deadline.cancel();
    running.ear.cancel();
    ++running.worker.jobs_done;
    queue::AttemptEnd end;
    if (auto* failure = std::get_if<Failed>(&*message)) {
      failure->failure.log = process.output().text();
      end = failed(std::move(failure->failure));
    } else {
      end = co_await accept(order, std::move(std::get<Finished>(*message)));
    }
    if (running.stopped) {
      co_await running.worker.process->reap();
    } else {
      keep(std::move(running.worker));
    }
    co_return end;
  }
}

Task<queue::AttemptEnd> Pool::buried(Running& running) {
  running.deadline.cancel();
  running.ear.cancel();
  const auto how = co_await running.worker.process->reap();
  if (running.stopped) co_return queue::AttemptEnd{};
  auto log = running.worker.process->output().text();
  if (running.timed_out) {
    co_return failed({"JOB_TIMED_OUT",
                      "The work took longer than the " + std::to_string(options_.longest_attempt.count()) +
                          " minutes that this server allows.",
                      false, std::move(log)});
  }
  if (running.silent) {
    log::warning("worker", "process said nothing for {} ms and was killed pid={}", options_.silence.count(),
                 running.worker.process->pid());
    co_return failed({"WORKER_LOST", "The worker process stood still.", true, std::move(log)});
  }
  log::warning("worker", "process ended in the middle of a job pid={}: {}", running.worker.process->pid(), how);
  co_return failed({"WORKER_CRASHED", "The worker process ended unexpectedly: " + how + ".", true, std::move(log)});
}

Task<queue::AttemptEnd> Pool::accept(const pipelines::Order& order, Finished finished) {
  const auto kept = folder_.files(order.files_url.substr(order.files_url.rfind('/') + 1));
  // In place before the row says that it is; without the row, nobody knows its name.
  auto move = [from = order.output, kept] {
    std::error_code error;
    if (!fs::is_empty(from, error) && !error) fs::rename(from, kept, error);
    return error;
  };
  const auto error = co_await blocking_.run(std::move(move));
  if (error) {
    co_return failed(server_failure(Error(Errc::unavailable, kept.string() + ": " + error.message())));
  }
  jobs::Completion completion;
  completion.audit = order.audit;
  completion.title = std::move(finished.product.title);
  completion.result = std::move(finished.product.result);
  co_return queue::AttemptEnd{queue::AttemptResult(std::move(completion))};
}

void Pool::stop(JobId job) {
  const auto found = running_.find(job);
  if (found == running_.end()) return;
  found->second->stopped = true;
  if (found->second->worker.process) found->second->worker.process->kill();
}

Task<> Pool::discard(AuditId audit) {
  auto remove = [this, audit = std::move(audit)] {
    folder_.remove_files_of(audit);
    return 0;
  };
  co_await blocking_.run(std::move(remove));
}

void Pool::keep(Idle process) {
  if (closed_ || process.jobs_done >= options_.jobs_per_process) return;  // its destructor ends it
  process.since = std::chrono::steady_clock::now();
  idle_.push_back(std::move(process));
  watch_idle();
}

void Pool::watch_idle() {
  if (idle_.empty() || closed_) return;
  idle_timer_.expires_at(idle_.front().since + options_.idle_time);
  idle_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled) return;
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(idle_, [&](const Idle& idle) { return now - idle.since >= options_.idle_time; });
    watch_idle();
  });
}

Task<> Pool::close() {
  closed_ = true;
  idle_timer_.cancel();
  for (auto& idle : idle_) co_await idle.process->reap();
  idle_.clear();
}

}  // namespace rushes::worker
