#pragma once
#include "auth/scopes.h"
#include "base/clock.h"
#include "base/id.h"

#include <optional>
#include <string>

namespace rushes::auth {

/// An API key's public part; 16 hexadecimal digits.
using KeyId = Strong<std::string, struct KeyIdTag>;

/// Who a token speaks for. Immutable once verified.
struct Identity {
  UserId user;
  std::string role;                      // `admin`, `service`, another one of the token's, or empty
  Timestamp expires_at;                  // from then on the token is refused: `exp`, and the clocks' skew
  std::optional<Timestamp> issued_at{};  // claim `iat`
  Scopes scopes = Scopes::all();
  KeyId key{};  // the API key that stands behind it; empty: a JWT does
};

}  // namespace rushes::auth
