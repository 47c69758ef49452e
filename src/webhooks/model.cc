#include "webhooks/model.h"

namespace rushes::webhooks {

std::string_view to_string(DeliveryState state) noexcept {
  constexpr std::array<std::string_view, 3> kStates{"pending", "delivered", "failed"};
  return kStates[static_cast<std::size_t>(state)];
}

std::string_view to_string(DisabledReason reason) noexcept {
  constexpr std::array<std::string_view, 3> kReasons{"gone", "failing", "asked"};
  return kReasons[static_cast<std::size_t>(reason)];
}

std::optional<std::chrono::milliseconds> retry_delay(int attempts, Rng& rng) {
  using namespace std::chrono_literals;
  constexpr std::array<std::chrono::seconds, 8> kDelays{5s, 5min, 30min, 2h, 5h, 10h, 20h, 30h};
  if (attempts < 1 || static_cast<std::size_t>(attempts) > kDelays.size()) return std::nullopt;
  const std::chrono::milliseconds full = kDelays[static_cast<std::size_t>(attempts) - 1];
  const auto jitter = static_cast<std::int64_t>(rng.next_u64() % static_cast<std::uint64_t>(full.count() / 5));
  return full - std::chrono::milliseconds(jitter);
}

std::string message_of(std::string_view type, Timestamp at, std::string_view data) {
  // `type` is one of ours, and needs no escaping.
  return R"({"type":")" + std::string(type) + R"(","timestamp":")" + to_rfc3339(at) + R"(","data":)" +
         std::string(data) + "}";
}

}  // namespace rushes::webhooks
