#pragma once
#include "base/random.h"
#include "base/result.h"

#include <filesystem>
#include <string>

namespace rushes::auth {

struct StoredSecret {
  std::string value;
  bool created = false;  // by this call
};

/// The signing secret kept in `file`; where there is none, a new one of 256 bits, stored with mode 0600.
/// Errors: `unavailable` where it cannot be read or written; `invalid_argument` where others may read it.
Result<StoredSecret> load_or_create_secret(const std::filesystem::path& file, Rng& rng);

}  // namespace rushes::auth
