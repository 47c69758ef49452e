#pragma once
#include "base/result.h"
#include "jobs/job_store.h"
#include "pipelines/order.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

namespace rushes::worker {

// What the server and a boxed process say to each other over the box's channel (box/channel.h): JSON objects. The
// server sends one order; the process answers with any number of reports and checkpoints, and one end.

constexpr std::chrono::milliseconds kBeatInterval{1'000};
constexpr std::size_t kMaxCheckpointBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxValues = 1'000'000;  // of one message; twelve hours of talk are about 500,000

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
/// The end of a fetch: the analysis follows in another box.
struct Fetched {
  pipelines::Fetched fetched;
};
struct Finished {
  pipelines::Product product;
};
struct Failed {
  jobs::Failure failure;
};
/// What a worker says.
using FromWorker = std::variant<Report, Checkpoint, Fetched, Finished, Failed, Alive>;

std::string encode(const pipelines::Order& order);
/// Errors: `malformed`, for a message that is not an order.
Result<pipelines::Order> decode_order(std::string_view text);

std::string encode(const FromWorker& message);
/// Errors: `malformed`. What comes from a worker is checked: hostile media may have taken it over.
Result<FromWorker> decode_from_worker(std::string_view text);

}  // namespace rushes::worker
