#pragma once
#include "base/result.h"
#include "jobs/job_store.h"
#include "pipelines/order.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace rushes::worker {

// Between the server and a worker process goes a stream of messages over a socket pair: four bytes
// of length, least significant first, then one JSON object. The server sends orders; the worker
// answers each with any number of reports and one end.

/// A result with an hour's transcript is about 2 MiB; what is longer than this is a broken peer.
constexpr std::size_t kMaxMessageBytes = std::size_t{64} << 20U;
constexpr std::size_t kLengthBytes = 4;
constexpr std::chrono::milliseconds kBeatInterval{1'000};
constexpr std::size_t kMaxCheckpointBytes = std::size_t{16} << 20U;

/// The one descriptor, beside the standard three, that a worker is started with.
constexpr int kWorkerFd = 3;

/// It works, though there is nothing to tell; each `kBeatInterval` while it has an order.
struct Alive {};
struct Report {
  jobs::ProgressReport progress;
};
/// What a stage made, for a later attempt.
struct Checkpoint {
  std::string name;
  std::string data;
};
struct Finished {
  pipelines::Product product;
};
struct Failed {
  jobs::Failure failure;
};
/// What a worker says.
using FromWorker = std::variant<Report, Checkpoint, Finished, Failed, Alive>;

std::string encode_length(std::size_t bytes);
/// Errors: `malformed` above `kMaxMessageBytes`.
Result<std::size_t> decode_length(std::string_view four_bytes);

std::string encode(const pipelines::Order& order);
/// Errors: `malformed`, for a message that is not an order.
Result<pipelines::Order> decode_order(std::string_view text);

std::string encode(const FromWorker& message);
/// Errors: `malformed`. What comes from a worker is checked: hostile media may have taken it over.
Result<FromWorker> decode_from_worker(std::string_view text);

}  // namespace rushes::worker
