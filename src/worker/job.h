#pragma once
#include "box/spec.h"
#include "pipelines/engines.h"
#include "pipelines/order.h"
#include "source/fetcher.h"

#include <functional>
#include <memory>

namespace rushes::worker {

/// What the zygote holds ready for the jobs of all users: nothing of any job is among it.
struct Workshop {
  /// Or why there are none; the failure of each job that needs them.
  Result<std::unique_ptr<pipelines::Engines>> engines;
  /// For one job, in its scratch folder.
  std::function<Result<std::unique_ptr<source::Fetcher>>(const pipelines::Order& order)> make_fetcher;
};

/// The one job of a boxed process: takes the order from the channel, does the work that the profile is for, answers
/// with its end, and says meanwhile that it is alive. Gives the exit status. See protocol.h.
int run_boxed_job(box::Profile profile, Workshop& workshop);

}  // namespace rushes::worker
