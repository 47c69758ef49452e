#pragma once
#include "pipelines/engines.h"
#include "pipelines/order.h"
#include "source/fetcher.h"

namespace rushes::pipelines {

/// Fetches what a URL names: what is known about the video, its captions (as a checkpoint), its media. The first half
/// of a URL's job, for a box that reaches the web and holds nothing else.
///
/// Errors: with words for the job's owner: those of `fetcher`.
Result<Fetched> fetch(const Order& order, source::Fetcher& fetcher, Reporter& reporter);

/// Does the work of one attempt from its first stage to its last; for a URL, what follows `fetch`. Blocks; it is
/// stopped by ending the process.
///
/// Errors: with words for the job's owner; those of the engines. `Error::retryable` says whether another attempt may
///         help.
Result<Product> run(const Order& order, Engines& engines, Reporter& reporter);

// One function a job type, each in a file of its own.
Result<Product> run_transcript(const Order& order, Engines& engines, Reporter& reporter);
Result<Product> run_upload(const Order& order, Engines& engines, Reporter& reporter);
Result<Product> run_youtube(const Order& order, Engines& engines, Reporter& reporter);

}  // namespace rushes::pipelines
