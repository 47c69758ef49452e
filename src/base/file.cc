#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rushes {
namespace {

Result<void> write_all(int fd, std::string_view content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const auto wrote = ::write(fd, content.data(), content.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return system_error("cannot write", path);
    }
    content.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void FileDescriptor::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Error system_error(std::string_view doing, const std::filesystem::path& path) {
  const int number = errno;
  const auto code = number == ENOENT ? Errc::not_found : Errc::unavailable;
  return {code, std::string(doing) + " " + path.string() + ": " + std::generic_category().message(number)};
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("cannot open", path);
  std::string content;
  std::string chunk(64UL << 10U, '\0');
  for (;;) {
    const auto got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      return system_error("cannot read", path);
    }
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max_bytes) {
      return Error(Errc::too_large, path.string() + " is larger than " + std::to_string(max_bytes) + " bytes");
    }
    content.append(chunk, 0, static_cast<std::size_t>(got));
  }
}

Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  auto temporary = path;
  temporary += ".new";
  {
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (!file) return system_error("cannot create", temporary);
    if (::fchmod(file.get(), mode) != 0) return system_error("cannot set the mode of", temporary);
    if (auto written = write_all(file.get(), content, temporary); !written) return written;
    if (::fsync(file.get()) != 0) return system_error("cannot sync", temporary);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("cannot rename to", path);
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return system_error("cannot sync", folder);
  return {};
}

}  // namespace rushes
