#pragma once
#include "base/result.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace rushes {

/// Owns a file descriptor; closes it when destroyed.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor away; the caller closes it.
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// The whole file. Errors: `not_found`; `too_large` above `max_bytes`; `unavailable` for what the system says.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes = 64UL << 20U);

/// Replaces `path` by `content` in one step and durably: a temporary file beside it, fsync, rename,
/// fsync of the folder. After a crash the old file or the new one is there, whole.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);

/// "cannot open /x: No such file or directory", from errno.
Error system_error(std::string_view doing, const std::filesystem::path& path);

}  // namespace rushes
