#include "jobs/testing/queue_model.h"

namespace rushes::jobs {
namespace {

const Failure kPassing{"WORKER_CRASHED", "The worker died.", true, {}};
const Failure kFinal{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};
constexpr int kMostRestarts = 2;
constexpr int kMostTokens = 8;

}  // namespace

std::vector<QueueModel::Action> QueueModel::actions() const {
  std::vector<Action> actions;
  for (int scheduler = 0; scheduler < kSchedulers; ++scheduler) {
    const auto held = held_.at(static_cast<std::size_t>(scheduler));
    if (held == 0 && tokens_ < kMostTokens) actions.push_back({Step::claim, scheduler});
    if (scheduler == 0) actions.push_back({Step::take_over, scheduler});
    if (held == 0) continue;
    for (const auto step : {Step::renew, Step::complete, Step::fail, Step::fail_final, Step::release,
                            Step::confirm_cancelled, Step::forget}) {
      actions.push_back({step, scheduler});
    }
  }
  actions.push_back({Step::cancel, 0});
  if (restarts_ < kMostRestarts) actions.push_back({Step::restart, 0});
  if (lease_ > 0) actions.push_back({Step::wait, 0});
  return actions;
}

bool QueueModel::holds(int scheduler) const {
  const auto held = held_.at(static_cast<std::size_t>(scheduler));
  return held != 0 && held == token_ && job_.state == JobState::processing;
}

void QueueModel::tell(EventType type) {
  if (!told_.empty()) told_ += ' ';
  told_ += std::string(to_string(type)).substr(4);
  if (type == EventType::completed || type == EventType::failed || type == EventType::cancelled) ++ends_;
}

void QueueModel::settle(Transition transition) {
  job_ = std::move(transition.job);
  token_ = 0;
  lease_ = 0;
  if (transition.event) tell(transition.event->type);
}

std::string QueueModel::with_token(int scheduler, const std::function<std::string()>& change) {
  if (!holds(scheduler)) return "lease_lost";
  return change();
}

std::string QueueModel::apply(const Action& action) {
  const Timestamp now;
  auto& held = held_.at(static_cast<std::size_t>(action.scheduler));
  const auto fail = [&](const Failure& failure) {
    auto failing = attempt_failed(job_, failure, alike_, now);
    if (failing.after == AfterFailure::will_retry) ++alike_;
    settle(std::move(failing.transition));
  };
  switch (action.step) {
    case Step::claim: {
      if (job_.state != JobState::pending) return "none";
      auto transition = started(job_, now);
      job_ = std::move(transition.job);
      held = token_ = ++tokens_;
      lease_ = kLease;
      tell(transition.event->type);
      return "ok";
    }
    case Step::renew:
      return with_token(action.scheduler, [&] {
        lease_ = kLease;
        return job_.cancel_requested ? "cancelled" : "ok";
      });
    case Step::complete:
      return with_token(action.scheduler, [&] {
        if (job_.cancel_requested) {
          settle(cancelled(job_, now));
          return "cancelled";
        }
        settle(completed(job_, Completion(), now));
        return "ok";
      });
    case Step::fail:
    case Step::fail_final:
      return with_token(action.scheduler, [&] {
        fail(action.step == Step::fail ? kPassing : kFinal);
        return "ok";
      });
    case Step::release:
      return with_token(action.scheduler, [&] {
        settle(job_.cancel_requested ? cancelled(job_, now) : handed_back(job_));
        return "ok";
      });
    case Step::confirm_cancelled:
      return with_token(action.scheduler, [&] {
        settle(cancelled(job_, now));
        return "ok";
      });
    case Step::take_over:
      if (job_.state != JobState::processing || lease_ > 0) return "none";
      fail(kPassing);
      return "ok";
    case Step::forget:
      held = 0;
      return "ok";
    case Step::cancel:
      if (is_end(job_.state)) return "conflict";
      promised_ = true;
      if (job_.state == JobState::pending) {
        settle(cancelled(job_, now));
        return "ok";
      }
      job_.cancel_requested = true;
      return "stopping";
    case Step::restart: {
      auto transition = restarted(job_, 1, std::nullopt);
      if (!transition) return "conflict";
      ++restarts_;
      alike_ = ends_ = 0;
      promised_ = false;
      told_.clear();
      settle(std::move(*transition));
      return "ok";
    }
    case Step::wait:
      --lease_;
      return "ok";
  }
  return {};
}

std::string QueueModel::key() const {
  std::string key = std::to_string(static_cast<int>(job_.state));
  for (const auto part : {job_.cancel_requested ? 1 : 0, token_, tokens_, lease_, alike_, held_[0], held_[1], restarts_,
                          ends_, promised_ ? 1 : 0}) {
    key += ',' + std::to_string(part);
  }
  return key;
}

}  // namespace rushes::jobs
