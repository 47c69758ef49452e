#include "box/take_over.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace rushes::box {
namespace {

Error hostile(const std::string& name, const std::string& what) {
  return {Errc::forbidden, "box: '" + name + "' is not taken over: " + what};
}

bool is_plain_name(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

Result<FileDescriptor> open_beneath(int folder, const std::string& name, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  FileDescriptor opened(static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how)));
  if (!opened && errno == ENOSYS && is_plain_name(name)) {
    // systemd's RestrictSUIDSGID= refuses openat2. A single name, no link, cannot lead out of its folder either.
    opened = FileDescriptor(::openat(folder, name.c_str(), static_cast<int>(how.flags)));
  }
  if (opened) return opened;
  if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR || errno == ENXIO) {
    return hostile(name, "it leads elsewhere");
  }
  return system_error("cannot open", name);
}

Result<std::vector<std::string>> names_in(FileDescriptor folder, std::size_t most) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(folder.get()), &::closedir);
  if (!listing) return system_error("cannot list", "what a box made");
  (void)folder.release();
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(listing.get())) {
    const std::string name(static_cast<const char*>(entry->d_name));
    if (name == "." || name == "..") continue;
    if (!is_plain_name(name)) return hostile("a file", "its name is not one of ours");
    if (names.size() == most) return hostile(name, "there are more than " + std::to_string(most) + " files");
    names.push_back(name);
  }
  return names;
}

Result<void> copy(int from, const std::filesystem::path& to) {
  const FileDescriptor file(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return system_error("cannot create", to);
  constexpr std::size_t kPiece = 1U << 20U;
  ssize_t copied = 0;
  do {
    copied = ::sendfile(file.get(), from, nullptr, kPiece);
  } while (copied > 0 || (copied < 0 && errno == EINTR));
  if (copied < 0) return system_error("cannot write", to);
  if (::fsync(file.get()) != 0) return system_error("cannot sync", to);
  return {};
}

}  // namespace

Result<FileDescriptor> open_made_file(int folder, const std::string& name, std::uint64_t max_bytes) {
  auto file = open_beneath(folder, name, 0);
  if (!file) return file;
  struct stat about {};
  if (::fstat(file->get(), &about) != 0) return system_error("cannot look at", name);
  if (!S_ISREG(about.st_mode) || about.st_nlink != 1) return hostile(name, "it is no plain file");
  if (static_cast<std::uint64_t>(about.st_size) > max_bytes) {
    return hostile(name, "it is larger than " + std::to_string(max_bytes) + " bytes");
  }
  return file;
}

Result<std::size_t> take_over(int folder, const std::string& name, const std::filesystem::path& to,
                              const TakeOverLimits& limits) {
  auto made = open_beneath(folder, name, O_DIRECTORY);
  if (!made && made.error().code() == Errc::not_found) return std::size_t{0};
  if (!made) return made.error();
  auto listing = open_beneath(folder, name, O_DIRECTORY);  // a listing owns its descriptor
  if (!listing) return listing.error();
  const auto names = names_in(std::move(*listing), limits.files);
  if (!names) return names.error();
  if (names->empty()) return std::size_t{0};

  std::error_code failed;
  std::filesystem::create_directory(to, failed);
  std::filesystem::permissions(to, std::filesystem::perms::owner_all, failed);
  if (failed) return Error(Errc::unavailable, "cannot make " + to.string() + ": " + failed.message());
  auto left = limits.bytes;
  for (const auto& file_name : *names) {
    const auto file = open_made_file(made->get(), file_name, left);
    if (!file) return file.error();
    struct stat about {};
    ::fstat(file->get(), &about);
    left -= static_cast<std::uint64_t>(about.st_size);
    if (auto copied = copy(file->get(), to / file_name); !copied) return copied.error();
  }
  const FileDescriptor parent(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0) return system_error("cannot sync", to);
  return names->size();
}

}  // namespace rushes::box
