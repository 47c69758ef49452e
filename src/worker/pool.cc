#include "worker/pool.h"

#include "base/log.h"
#include "base/remove_tree.h"
#include "jobs/job_json.h"

#include <filesystem>

namespace rushes::worker {

namespace fs = std::filesystem;

Pool::Pool(Executor executor, const queue::DataFolder& folder, BlockingPool& blocking, const Clock& clock, Rng& rng,
           PoolOptions options)
    : executor_(executor),
      folder_(folder),
      blocking_(blocking),
      clock_(clock),
      rng_(rng),
      options_(std::move(options)),
      cgroup_(box::Cgroup::find()),
      launcher_(std::move(executor), options_.zygote) {}

Pool::~Pool() = default;

Task<queue::AttemptEnd> Pool::run(jobs::Claimed claimed, queue::ProgressSink& progress) {
  const auto job = claimed.job.id;
  const auto scratch = folder_.scratch(job, claimed.job.attempt);
  auto order = order_for(claimed);
  const auto upload = string_member(order.input, "upload");
  const auto file = upload ? folder_.upload(JobId(*upload)) / "source" : fs::path();

  const AttemptContext context{options_, launcher_, cgroup_, folder_, blocking_, rng_};
  Attempt attempt(executor_, context, std::move(order), progress);
  running_[job] = &attempt;
  auto end = co_await attempt.run(scratch, file);
  running_.erase(job);

  auto clear = [scratch] {
    // What is left of it takes room that no job is charged for; prepare() of the next start tries again.
    const auto removed = remove_tree(scratch);
    if (!removed) log::warning("worker", "{}: {}", scratch.string(), removed.error().what());
    return 0;
  };
  co_await blocking_.run(std::move(clear));
  co_return end;
}

pipelines::Order Pool::order_for(jobs::Claimed& attempt) const {
  pipelines::Order order;
  order.job = attempt.job.id;
  order.audit = AuditId(new_uuid(clock_, rng_));
  order.type = attempt.job.type;
  order.created_at = attempt.job.created_at;
  order.title = attempt.job.title;
  order.url = attempt.job.url;
  order.input = jobs::input_of(attempt.job);
  order.body = std::move(attempt.body);
  order.checkpoints = std::move(attempt.checkpoints);
  order.files_url = "/files/" + queue::DataFolder::new_files_key(order.audit, rng_);
  return order;
}

void Pool::stop(JobId job) {
  const auto found = running_.find(job);
  if (found != running_.end()) found->second->stop();
}

Task<> Pool::discard(AuditId audit) {
  auto remove = [this, audit = std::move(audit)] {
    folder_.remove_files_of(audit);
    return 0;
  };
  co_await blocking_.run(std::move(remove));
}

}  // namespace rushes::worker
