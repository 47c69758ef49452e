#include "jobs/retry_policy.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rushes::jobs {
namespace {

constexpr std::array<std::string_view, 3> kNetwork{"SOURCE_UNAVAILABLE", "FETCH_FAILED", "URL_UNRESOLVED"};
constexpr std::array<std::string_view, 3> kCrashes{"WORKER_CRASHED", "WORKER_LOST", "WORKER_ERROR"};
constexpr int kMoreForNetwork = 2;
constexpr std::int64_t kFirst = 2'000;
constexpr std::int64_t kFirstForNetwork = 5'000;
constexpr std::int64_t kLongest = 300'000;

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::int64_t doubled(std::int64_t pause, int times) noexcept {
  return std::min(kLongest, pause << std::clamp(times, 0, 16));
}

}  // namespace

ErrorClass class_of(const Failure& failure) noexcept {
  if (!failure.retryable) return ErrorClass::permanent;
  if (is_one_of(kNetwork, failure.code)) return ErrorClass::network;
  return is_one_of(kCrashes, failure.code) ? ErrorClass::crash : ErrorClass::other;
}

int attempts_allowed(ErrorClass error, int max_attempts) noexcept {
  if (error == ErrorClass::permanent) return 1;
  return error == ErrorClass::network ? max_attempts + kMoreForNetwork : max_attempts;
}

std::chrono::milliseconds retry_delay(ErrorClass error, int attempt, Rng& rng) {
  const auto full = doubled(error == ErrorClass::network ? kFirstForNetwork : kFirst, attempt - 1);
  const auto jitter = static_cast<std::int64_t>(rng.next_u64() % static_cast<std::uint64_t>(full / 2));
  return std::chrono::milliseconds(full - jitter);
}

std::chrono::milliseconds pause_after_loss(int failed) noexcept {
  return std::chrono::milliseconds(failed <= 0 ? 0 : doubled(kFirst, failed - 1));
}

}  // namespace rushes::jobs
