#pragma once
#include "base/file.h"
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace rushes::box {

/// A plain file that a boxed process made, opened for reading. `folder`: where it must lie, whatever links there are.
///
/// Errors: `not_found`; `forbidden` for what is no plain file of one name (a link, a pipe, a device, a folder), for a
/// way out of the folder, and for more than `max_bytes`.
Result<FileDescriptor> open_made_file(int folder, const std::string& name, std::uint64_t max_bytes);

struct TakeOverLimits {
  std::size_t files = 200;
  std::uint64_t bytes = std::uint64_t{256} << 20U;  // in all
};

/// Copies the plain files in `folder`/`name`, which a boxed process made and which nothing writes any more, into the
/// new folder `to`, durably. Copies are the server's own. Gives how many there are; without any, `to` is not made.
///
/// Errors: as `open_made_file`, and `forbidden` for file names other than of letters, digits, `.`, `-`, `_`;
/// `unavailable` where `to` cannot be written. `to` may be half written then.
Result<std::size_t> take_over(int folder, const std::string& name, const std::filesystem::path& to,
                              const TakeOverLimits& limits = {});

}  // namespace rushes::box
