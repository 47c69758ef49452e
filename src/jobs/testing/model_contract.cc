// The store does what the model says: the same steps, chosen at random, the same answers, states and events.
#include "async/run.h"
#include "base/random.h"
#include "jobs/testing/job_store_contract.h"
#include "jobs/testing/queue_model.h"

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using Step = QueueModel::Step;

const Failure kPassing{"WORKER_CRASHED", "The worker died.", true, {}};
const Failure kFinal{"MEDIA_UNREADABLE", "The file cannot be read.", false, {}};
constexpr milliseconds kThird{10'000};
constexpr int kWalks = 60;
constexpr int kStepsOfAWalk = 40;

template <class T>
std::string answer(const Result<T>& result) {
  if (result) return "ok";
  switch (result.error().code()) {
    case Errc::lease_lost:
      return "lease_lost";
    case Errc::cancelled:
      return "cancelled";
    case Errc::conflict:
      return "conflict";
    default:
      return result.error().what();
  }
}

/// The model's schedulers, with leases of the store.
class Walker {
 public:
  Walker(JobStore& store, FakeClock& clock, Job job) : store_(store), clock_(clock), job_(std::move(job)) {}

  std::string apply(const QueueModel::Action& action) {
    auto& lease = leases_.at(static_cast<std::size_t>(action.scheduler));
    switch (action.step) {
      case Step::claim: {
        auto claimed = run_to_end(store_.claim(ClaimRequest())).value();
        if (claimed.empty()) return "none";
        lease = claimed[0].lease;
        return "ok";
      }
      case Step::renew:
        return answer(run_to_end(store_.renew(*lease, kThird * QueueModel::kLease)));
      case Step::complete: {
        Completion completion;
        completion.audit = AuditId(new_uuid(clock_, rng_));
        return answer(run_to_end(store_.complete(*lease, completion)));
      }
      case Step::fail:
        return answer(run_to_end(store_.fail(*lease, kPassing, milliseconds(0))));
      case Step::fail_final:
        return answer(run_to_end(store_.fail(*lease, kFinal, milliseconds(0))));
      case Step::release:
        return answer(run_to_end(store_.release(*lease)));
      case Step::confirm_cancelled:
        return answer(run_to_end(store_.confirm_cancelled(*lease)));
      case Step::take_over:
        return run_to_end(store_.take_over(false)).value() > 0 ? "ok" : "none";
      case Step::forget:
        lease.reset();
        return "ok";
      case Step::cancel: {
        const auto cancelled = run_to_end(store_.cancel(job_.user, job_.id));
        return cancelled && *cancelled == CancelOutcome::stopping ? "stopping" : answer(cancelled);
      }
      case Step::restart:
        return answer(run_to_end(store_.restart(job_.user, job_.id, 1'000'000)));
      case Step::wait:
        clock_.advance(kThird);
        return "ok";
    }
    return {};
  }

 private:
  JobStore& store_;
  FakeClock& clock_;
  const Job job_;
  std::array<std::optional<Lease>, QueueModel::kSchedulers> leases_;
  SystemRng rng_;
};

TEST_P(JobStoreContract, RandomWalksAgreeWithTheModel) {
  SeededRng rng(20);
  for (int walk = 0; walk < kWalks; ++walk) {
    auto wanted = request("ann");
    wanted.max_attempts = 2;
    const auto job = must(run_to_end(jobs().submit(wanted, kNoLimit))).job;
    QueueModel model;
    Walker walker(jobs(), clock_, job);
    std::string path;
    for (int i = 0; i < kStepsOfAWalk; ++i) {
      const auto actions = model.actions();
      const auto& action = actions[rng.next_u64() % actions.size()];
      path += std::to_string(static_cast<int>(action.step)) + "/" + std::to_string(action.scheduler) + " ";
      ASSERT_EQ(walker.apply(action), model.apply(action)) << path;
      ASSERT_EQ(to_string(find(job).state), to_string(model.state())) << path;
      ASSERT_TRUE(told_of(job).ends_with(model.told())) << path << "\n" << told_of(job) << "\n" << model.told();
    }
    // Out of the way of the next.
    if (is_end(find(job).state)) continue;
    clock_.advance(kThird * QueueModel::kLease);
    (void)run_to_end(jobs().cancel(job.user, job.id));
    (void)run_to_end(jobs().take_over(false));
    ASSERT_TRUE(is_end(find(job).state)) << path;
  }
}

}  // namespace
}  // namespace rushes::jobs
