#pragma once
#include "base/json.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace rushes::bench {

struct FlatPlan {
  std::int64_t few = 10'000;  // jobs in the small database
  std::int64_t many = 10'000'000;
  int users = 10'000;
  std::int64_t one_waits_of = 10;
  std::size_t body_bytes = 240;
  int rounds = 5;
  int operations = 5'000;  // of each kind in a round
  int questions = 50'000;  // for positions: they are quick, and what writing left to do is no part of them
  int in_flight = 100;
};

/// The same operations on a small and on a large database, in turn: how many a second on either, and how many times
/// slower the large one is; how long it takes to open, and the memory that its waiting jobs take.
json::object measure_flat(const std::filesystem::path& folder, const FlatPlan& plan);

}  // namespace rushes::bench
