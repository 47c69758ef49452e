#pragma once
#include "jobs/job_store.h"
#include "jobs/retry_policy.h"
#include "jobs/transitions.h"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rushes::jobs {

/// One job, its owner and two schedulers, as small as can be: what a store does with claims, leases, fences, ends and
/// wishes to stop, on the transitions that stores use. A value; time goes by in thirds of a lease.
///
/// A worker that is paused is a scheduler that does nothing while the other acts, and then goes on with what it holds.
class QueueModel {
 public:
  enum class Step : std::uint8_t {
    claim,
    renew,
    complete,
    fail,        // in a way that may pass
    fail_final,  // in a way that cannot
    release,
    confirm_cancelled,
    take_over,
    forget,  // the scheduler crashes: what it holds is known to nobody
    cancel,  // the owner's from here on
    restart,
    wait,  // a third of a lease
  };
  static constexpr int kSchedulers = 2;
  static constexpr int kLease = 3;  // thirds
  struct Action {
    Step step = Step::wait;
    int scheduler = 0;
  };

  QueueModel() {
    job_.max_attempts = 2;
    tell(EventType::queued);
  }

  /// All that can be tried now, sensible or not.
  std::vector<Action> actions() const;
  /// What the store answers: `ok`, or an error's code.
  std::string apply(const Action& action);

  JobState state() const { return job_.state; }
  /// The types of this series' events, in order: `queued started …`.
  const std::string& told() const { return told_; }
  int ends() const { return ends_; }
  /// The owner was told that this series will end as cancelled.
  bool promised() const { return promised_; }
  /// Whether the scheduler holds a lease that the store honours.
  bool holds(int scheduler) const;
  int restarts() const { return restarts_; }
  /// Two models with the same key behave alike.
  std::string key() const;

 private:
  void tell(EventType type);
  void settle(Transition transition);
  std::string with_token(int scheduler, const std::function<std::string()>& change);

  Job job_;
  int token_ = 0;                        // of the attempt that runs
  int tokens_ = 0;                       // drawn
  int lease_ = 0;                        // thirds left
  int alike_ = 0;                        // failed attempts of this series
  std::array<int, kSchedulers> held_{};  // token; 0: none
  int restarts_ = 0;
  int ends_ = 0;  // of this series
  bool promised_ = false;
  std::string told_;
};

}  // namespace rushes::jobs
