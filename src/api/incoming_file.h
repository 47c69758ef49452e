#pragma once
#include "api/request_digest.h"
#include "async/blocking_pool.h"
#include "base/file.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
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
  /// One that is read for its digest alone, and written nowhere.
  static std::unique_ptr<IncomingFile> unwritten(BlockingPool& blocking);
  ~IncomingFile();
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  /// `bytes` stay valid until it resumes.
  Task<Result<void>> write(std::string_view bytes);
  std::uint64_t size() const noexcept { return size_; }
  /// Has its digest taken, from its first byte on.
  void take_digest() { digest_.emplace(); }
  /// SHA-256 of what came in, once it is whole; once.
  std::string digest() { return digest_->take(); }

  /// Syncs the file and gives it its name: `source` in the folder.
  Task<Result<void>> commit();

 private:
  IncomingFile(BlockingPool& blocking, std::filesystem::path folder, FileDescriptor file);

  BlockingPool& blocking_;
  const std::filesystem::path folder_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::optional<Sha256> digest_;
  bool committed_ = false;
};

}  // namespace rushes::api
