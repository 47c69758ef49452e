#pragma once
#include "pipelines/engines.h"

namespace rushes::worker {

/// The life of a worker process: takes orders from `kWorkerFd`, one after the other, and answers
/// them, until the server closes its end. Then, or when the server dies, the whole process group ends.
///
/// `make_engines` is called at the first order. Gives the exit status.
int run_job_loop(const std::function<Result<std::unique_ptr<pipelines::Engines>>()>& make_engines);

}  // namespace rushes::worker
