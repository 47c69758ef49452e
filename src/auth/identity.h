#pragma once
#include "base/clock.h"
#include "base/id.h"

#include <optional>
#include <string>

namespace rushes::auth {

/// Who a token speaks for. Immutable once verified.
struct Identity {
  UserId user;
  std::string role;                      // `admin`, `service`, another one of the token's, or empty
  Timestamp expires_at;                  // from then on the token is refused: `exp`, and the clocks' skew
  std::optional<Timestamp> issued_at{};  // claim `iat`
};

}  // namespace rushes::auth
