#pragma once
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::box {

/// Why something did not get through a door; the later one is the graver.
enum class Trouble : std::uint8_t {
  unresolved,       // the name has no address
  unreachable,      // nobody accepts connections there
  packed_answer,    // a compressed answer to a plain request, although the door asked for none
  refused_address,  // the policy's filter said no
  too_late,         // the policy's deadline has passed; nothing passes any more
  too_many_bytes,   // the policy's budget of bytes is used up; nothing passes any more
};

struct Incident {
  Trouble trouble = Trouble::unresolved;
  std::string host;  // empty where it concerns the door as a whole
  Error error;       // with words for the user
};

/// Asks the door at `door_url` (see `Door::url`) for its gravest incident since the last call, and makes it forget it.
/// Nothing: everything got through. For what runs inside the box: BLOCKING, for 2 s at most, plain sockets alone.
/// Errors: `invalid_argument` for a URL that is not a door's; `unavailable` when the door does not answer; `malformed`
/// for an answer that cannot be read.
Result<std::optional<Incident>> ask_door(const std::string& door_url);

/// `refused_address`: the name by which a report speaks of it.
std::string_view to_string(Trouble trouble) noexcept;

}  // namespace rushes::box
