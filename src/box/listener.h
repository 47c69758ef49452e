#pragma once
#include "base/file.h"
#include "base/result.h"

#include <cstdint>

namespace rushes::box {

/// A socket that listens on 127.0.0.1 of this network namespace; port 0: a free one. Errors: `unavailable`.
Result<FileDescriptor> listen_on_loopback(std::uint16_t port);

/// Whether `socket` is a TCP socket (IPv4) that listens.
bool is_listener(const FileDescriptor& socket) noexcept;

}  // namespace rushes::box
