#pragma once
#include "base/clock.h"
#include "base/id.h"

#include <optional>
#include <string>

namespace rushes::auth {

/// Who a token speaks for. Immutable once verified.
struct Identity {
  UserId user;
  std::string role;  // claim `role`; empty where there is none
  Timestamp expires_at;
  std::optional<Timestamp> issued_at{};  // claim `iat`
};

}  // namespace rushes::auth
