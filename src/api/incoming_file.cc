#include "api/incoming_file.h"

#include "base/disk_error.h"
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rushes::api {
namespace fs = std::filesystem;
namespace {

// The kernel begins to write out this much at a time, so that the sync at the end is short and the
// page cache does not fill up with what nobody will read soon.
constexpr std::uint64_t kWriteBehind = std::uint64_t{32} << 20U;

Error write_error(const fs::path& path, int error = errno) {
  log::warning("api", "cannot write {}: {}", path.string(), std::error_code(error, std::system_category()).message());
  return disk_error(error);
}

Result<void> write_all(int file, std::string_view bytes, const fs::path& folder) {
  while (!bytes.empty()) {
    const auto wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return write_error(folder);
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<FileDescriptor> open_in(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return write_error(folder, failed.value());
  FileDescriptor file(
      ::open((folder / "incoming").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return write_error(folder);
  return file;
}

Result<void> finish(int file, const fs::path& folder) {
  if (::fsync(file) != 0) return write_error(folder);
  if (::rename((folder / "incoming").c_str(), (folder / "source").c_str()) != 0) return write_error(folder);
  for (const auto& changed : {folder, folder.parent_path()}) {
    const FileDescriptor directory(::open(changed.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return write_error(changed);
  }
  return {};
}

}  // namespace

Task<Result<std::unique_ptr<IncomingFile>>> IncomingFile::create(BlockingPool& blocking, fs::path folder) {
  auto open = [folder] { return open_in(folder); };
  auto file = co_await blocking.run(std::move(open));
  if (!file) co_return file.error();
  co_return std::unique_ptr<IncomingFile>(new IncomingFile(blocking, std::move(folder), std::move(*file)));
}

std::unique_ptr<IncomingFile> IncomingFile::unwritten(BlockingPool& blocking) {
  return std::unique_ptr<IncomingFile>(new IncomingFile(blocking, fs::path(), FileDescriptor()));
}

IncomingFile::IncomingFile(BlockingPool& blocking, fs::path folder, FileDescriptor file)
    : blocking_(blocking), folder_(std::move(folder)), file_(std::move(file)) {}

IncomingFile::~IncomingFile() {
  if (committed_ || !file_) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Task<Result<void>> IncomingFile::write(std::string_view bytes) {
  const auto start = size_ / kWriteBehind * kWriteBehind;
  size_ += bytes.size();
  const bool full = size_ / kWriteBehind * kWriteBehind > start;
  auto work = [this, bytes, start, full]() -> Result<void> {
    if (digest_) digest_->add(bytes);
    if (!file_) return {};
    auto written = write_all(file_.get(), bytes, folder_);
    if (written && full) {
      ::sync_file_range(file_.get(), static_cast<off_t>(start), kWriteBehind, SYNC_FILE_RANGE_WRITE);
    }
    return written;
  };
  co_return co_await blocking_.run(std::move(work));
}

Task<Result<void>> IncomingFile::commit() {
  auto work = [this] { return finish(file_.get(), folder_); };
  auto finished = co_await blocking_.run(std::move(work));
  committed_ = finished.has_value();
  co_return finished;
}

}  // namespace rushes::api
