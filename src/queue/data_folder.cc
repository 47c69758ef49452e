#include "queue/data_folder.h"

#include "base/disk_error.h"
#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace rushes::queue {
namespace fs = std::filesystem;
namespace {

std::uint64_t free_on(const struct statvfs& disk) { return std::uint64_t{disk.f_bavail} * disk.f_frsize; }

void clear(const fs::path& path) noexcept {
  const auto removed = remove_tree(path);
  if (!removed) log::warning("queue", "{}: {}", path.string(), removed.error().what());
}

// A server that stopped in the middle of an upload leaves a folder that no job names.
void remove_unfinished_uploads(const fs::path& uploads) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(uploads, failed)) {
    std::error_code unknown;
    if (!fs::exists(entry.path() / "source", unknown)) clear(entry.path());
  }
}

}  // namespace

Result<void> check_room(const struct statvfs& disk, std::uint64_t wanted, std::uint64_t reserved) {
  if ((disk.f_flag & ST_RDONLY) != 0) return disk_error(EROFS);
  if (free_on(disk) >= wanted + reserved + DataFolder::kRoom) return {};
  const auto what = wanted == 0 ? std::string("work") : "a file of " + to_human_size(wanted);
  return Error::for_user(Errc::unavailable, "DISK_FULL",
                         "The server's disk has no room for " + what + "; try again later.");
}

Result<void> DataFolder::prepare() const {
  clear(root_ / "scratch");
  for (const auto* name : {"uploads", "scratch", "files", "."}) {
    std::error_code failed;
    fs::create_directories(root_ / name, failed);
    if (!failed) fs::permissions(root_ / name, fs::perms::owner_all, failed);
    if (failed) {
      return Error(Errc::unavailable, "cannot make the folder " + (root_ / name).string() + ": " + failed.message());
    }
  }
  remove_unfinished_uploads(root_ / "uploads");
  return {};
}

std::uint64_t DataFolder::free_bytes() const {
  struct statvfs disk {};
  return ::statvfs(root_.c_str(), &disk) == 0 ? free_on(disk) : 0;
}

Result<void> DataFolder::has_room(std::uint64_t wanted, std::uint64_t reserved) const {
  struct statvfs disk {};
  if (::statvfs(root_.c_str(), &disk) != 0) return {};  // whoever writes finds out
  return check_room(disk, wanted, reserved);
}

fs::path DataFolder::scratch(const JobId& job, int attempt) const {
  return root_ / "scratch" / (job.value() + "-" + std::to_string(attempt));
}

bool DataFolder::is_files_key(std::string_view key) noexcept {
  constexpr std::size_t kUuid = 36;
  if (key.size() < kUuid + 2 || !is_uuid(key.substr(0, kUuid)) || key[kUuid] != '-') return false;
  return std::all_of(key.begin() + kUuid, key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void DataFolder::remove_upload(const JobId& job) const noexcept { clear(upload(job)); }

void DataFolder::remove_files_of(const AuditId& audit) const noexcept {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(root_ / "files", failed)) {
    if (entry.path().filename().string().starts_with(audit.value() + "-")) clear(entry.path());
  }
}

}  // namespace rushes::queue
