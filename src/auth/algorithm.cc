#include "auth/algorithm.h"

#include <array>
#include <utility>

namespace rushes::auth {

std::optional<Algorithm> parse_algorithm(std::string_view name) noexcept {
  using enum Algorithm;
  constexpr std::array<std::pair<std::string_view, Algorithm>, 14> kNames{{{"HS256", hs256},
                                                                           {"HS384", hs384},
                                                                           {"HS512", hs512},
                                                                           {"RS256", rs256},
                                                                           {"RS384", rs384},
                                                                           {"RS512", rs512},
                                                                           {"PS256", ps256},
                                                                           {"PS384", ps384},
                                                                           {"PS512", ps512},
                                                                           {"ES256", es256},
                                                                           {"ES384", es384},
                                                                           {"ES512", es512},
                                                                           {"Ed25519", eddsa},
                                                                           {"EdDSA", eddsa}}};
  for (const auto& [known, algorithm] : kNames) {
    if (known == name) return algorithm;
  }
  return std::nullopt;
}

}  // namespace rushes::auth
