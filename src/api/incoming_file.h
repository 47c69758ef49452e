#pragma once
#include "async/blocking_pool.h"
#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace rushes::api {

/// A file on its way in: written piece by piece, durable and in its place only after `commit`.
/// Without it, the destructor removes everything.
///
/// Threads:  single-owner; disk work goes to the blocking pool.
/// Errors:   those of `disk_error`.
class IncomingFile {
 public:
  /// In `folder`, which is made.
  static Task<Result<std::unique_ptr<IncomingFile>>> create(BlockingPool& blocking, std::filesystem::path folder);
  ~IncomingFile();
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  /// `bytes` stay valid until it resumes.
  Task<Result<void>> write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }

  /// Syncs the file and gives it its name: `source` in the folder.
  Task<Result<void>> commit();

 private:
  IncomingFile(BlockingPool& blocking, std::filesystem::path folder, FileDescriptor file);

  BlockingPool& blocking_;
  const std::filesystem::path folder_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  bool committed_ = false;
};

}  // namespace rushes::api
