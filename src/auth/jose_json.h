#pragma once
#include "base/json.h"
#include "base/result.h"

#include <string_view>

namespace rushes::auth {

/// Reads a JSON object, at most 16 levels deep, in which no object has two members of one name: two readers could
/// take different ones (RFC 7515, 4; RFC 7519, 4). Errors: `malformed`.
Result<json::object> parse_unique(std::string_view text);

}  // namespace rushes::auth
