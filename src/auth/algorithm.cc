#include "auth/algorithm.h"

#include <array>
#include <utility>

namespace rushes::auth {

std::optional<Algorithm> parse_algorithm(std::string_view name) noexcept {
  using enum Algorithm;
  constexpr std::array<std::pair<std::string_view, Algorithm>, 6> kNames{
      {{"HS256", hs256}, {"HS384", hs384}, {"HS512", hs512}, {"RS256", rs256}, {"ES256", es256}, {"EdDSA", eddsa}}};
  for (const auto& [known, algorithm] : kNames) {
    if (known == name) return algorithm;
  }
  return std::nullopt;
}

}  // namespace rushes::auth
