#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace rushes::bench {

struct FillPlan {
  std::int64_t jobs = 10'000;
  std::int64_t waiting = 1'000;  // the newest of them; the others have completed
  int users = 10'000;
  std::size_t body_bytes = 240;
};

/// Makes a database with so many jobs, each with its body and its last event. The store makes one job of each kind;
/// the others are copies of its rows, made by SQL, as the real way would take hours.
void fill_database(const std::filesystem::path& file, const FillPlan& plan);

}  // namespace rushes::bench
