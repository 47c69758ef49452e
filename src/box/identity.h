#pragma once
#include "base/result.h"

#include <sys/types.h>

#include <string>

namespace rushes::box {

/// The user that boxes run as.
struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::string name;         // for people
  bool is_another = false;  // than the server's
};

/// The server's own user; where that is root, the user `rushes`, or 65534 (nobody) where there is none.
Identity box_identity();

/// Becomes `identity`, for good. As root it keeps, where asked, what making namespaces without a user namespace needs
/// (CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SETPCAP), and nothing else. Errors: `unavailable`.
Result<void> become(const Identity& identity, bool keep_privileges);

}  // namespace rushes::box
