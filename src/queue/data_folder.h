#pragma once
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"

#include <sys/statvfs.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace rushes::queue {

/// What DataFolder::has_room says of such a disk.
Result<void> check_room(const struct statvfs& disk, std::uint64_t wanted, std::uint64_t reserved = 0);

/// Where what the jobs read and make lies on disk. Names are ours alone: ids that we drew, never a
/// word of the user's.
///
///     <root>/uploads/<job>/source      an uploaded file
///     <root>/scratch/<job>-<attempt>/  an attempt's private folder, gone when it ends
///     <root>/files/<audit>-<key>/      what a saved analysis serves: thumbnails, captions
///
/// Threads: thread-safe; immutable. Its functions touch the disk: call them where blocking is allowed.
class DataFolder {
 public:
  explicit DataFolder(std::filesystem::path root) : root_(std::move(root)) {}

  /// Makes the folders, and removes what a server that crashed left unfinished: scratch folders, half uploads.
  /// Errors: `unavailable`, naming the path.
  Result<void> prepare() const;

  /// Left free for the database and the results: what an attempt writes shall not be what fills the disk.
  static constexpr std::uint64_t kRoom = std::uint64_t{16} << 20U;

  /// Whether its disk can be written and has room for `wanted` bytes, beside `reserved` ones and kRoom.
  /// Errors: `unavailable`, DISK_FULL (naming what was wanted, not what there is) or DISK_READ_ONLY.
  Result<void> has_room(std::uint64_t wanted = 0, std::uint64_t reserved = 0) const;
  /// 0 where it cannot be told.
  std::uint64_t free_bytes() const;

  const std::filesystem::path& root() const noexcept { return root_; }
  std::filesystem::path uploads() const { return root_ / "uploads"; }
  std::filesystem::path upload(const JobId& job) const { return uploads() / job.value(); }
  std::filesystem::path scratch(const JobId& job, int attempt) const;
  /// `key` is `<audit>-<random>`: whoever knows it may read the files, so it stands only in the
  /// owner's result.
  std::filesystem::path files(const std::string& key) const { return all_files() / key; }
  std::filesystem::path all_files() const { return root_ / "files"; }
  static std::string new_files_key(const AuditId& audit, Rng& rng) { return audit.value() + "-" + rng.token(16); }
  /// Whether `key` could have come from `new_files_key`: no dots, no slashes.
  static bool is_files_key(std::string_view key) noexcept;

  /// Removes an upload and whatever is kept for an analysis; absence is fine.
  void remove_upload(const JobId& job) const noexcept;
  void remove_files_of(const AuditId& audit) const noexcept;

 private:
  const std::filesystem::path root_;
};

}  // namespace rushes::queue
