#pragma once
#include "pipelines/engines.h"
#include "pipelines/order.h"

namespace rushes::pipelines {

/// Does the work of one attempt from its first stage to its last. Blocks; it is stopped by ending
/// the process.
///
/// Errors: with words for the job's owner; those of the engines, and UPLOAD_GONE where the uploaded
///         file was removed. `Error::retryable` says whether another attempt may help.
Result<Product> run(const Order& order, Engines& engines, Reporter& reporter);

// One function a job type, each in a file of its own.
Result<Product> run_transcript(const Order& order, Engines& engines, Reporter& reporter);
Result<Product> run_upload(const Order& order, Engines& engines, Reporter& reporter);
Result<Product> run_youtube(const Order& order, Engines& engines, Reporter& reporter);

}  // namespace rushes::pipelines
