#pragma once
#include "base/file.h"
#include "base/result.h"

#include <filesystem>
#include <string>
#include <utility>

namespace rushes::media {

/// A media file, by its path or by a descriptor that is open for reading.
///
/// A descriptor is borrowed: it stays open until the functions that were given the Source have returned, or until
/// the reader that they returned is destroyed. Its file position is neither used nor changed, so several readers may
/// share it.
class Source {
 public:
  // Implicit: a path is a source wherever one is asked for.
  Source(std::filesystem::path path) : path_(std::move(path)) {}
  Source(const std::string& path) : path_(path) {}
  Source(const char* path) : path_(path) {}
  static Source of_descriptor(int fd);

  /// A descriptor of its own for the file, close-on-exec. Errors: `not_found` and `unavailable`, as the system says.
  Result<FileDescriptor> open() const;
  /// For logs: the path, or the number of the descriptor.
  const std::filesystem::path& name() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;  // below 0: by path
};

}  // namespace rushes::media
