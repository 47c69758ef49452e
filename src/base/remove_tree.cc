#include "base/remove_tree.h"

#include "base/file.h"
#include "base/random.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

namespace rushes {
namespace {

/// Empties one folder. Folders in it are emptied in turn: what they hold of folders is moved up beside them first, so
/// that there is never more than one level.
class Emptying {
 public:
  explicit Emptying(FileDescriptor top) : top_(std::move(top)) {}

  /// Gives the first error.
  std::optional<Error> run() {
    // A listing may or may not show what is moved into its folder meanwhile.
    do {
      moved_ = false;
      empty(top_.get(), false);
    } while (moved_);
    return first_;
  }

 private:
  void empty(int folder, bool below) {
    FileDescriptor again(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again) return fail("a folder");
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(again.get()), &::closedir);
    if (!listing) return fail("a folder");
    (void)again.release();  // a listing owns its descriptor
    while (const auto* entry = ::readdir(listing.get())) {
      const std::string name(static_cast<const char*>(entry->d_name));
      if (name != "." && name != "..") remove(folder, name, below);
    }
  }

  void remove(int folder, const std::string& name, bool below) {
    if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return;
    if (errno != EISDIR && errno != EPERM) return fail(name);
    struct stat about {};
    if (::fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(about.st_mode)) return fail(name);
    // Its own rights are needed to move it and to look into it.
    if ((about.st_mode & S_IRWXU) != S_IRWXU) (void)::fchmodat(folder, name.c_str(), S_IRWXU, 0);
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return;
    if (below) {
      const auto free_name = prefix_ + std::to_string(++names_);
      if (::renameat(folder, name.c_str(), top_.get(), free_name.c_str()) != 0) return fail(name);
      moved_ = true;
      return;
    }
    const FileDescriptor inside(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inside) return fail(name);
    empty(inside.get(), true);
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) fail(name);
  }

  void fail(const std::string& name) {
    if (!first_) first_ = Error(Errc::unavailable, system_error("cannot remove", name).what());
  }

  const FileDescriptor top_;
  const std::string prefix_ = ".moved-" + SystemRng().token(12) + "-";  // that nobody has guessed
  std::optional<Error> first_;
  std::uint64_t names_ = 0;
  bool moved_ = false;
};

}  // namespace

Result<void> remove_tree(const std::filesystem::path& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) {
    return errno == ENOENT ? Result<void>() : Error(Errc::unavailable, system_error("cannot remove", path).what());
  }
  if (S_ISDIR(about.st_mode)) {
    if ((about.st_mode & S_IRWXU) != S_IRWXU) (void)::chmod(path.c_str(), S_IRWXU);
    FileDescriptor top(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!top) return Error(Errc::unavailable, system_error("cannot open", path).what());
    if (auto failed = Emptying(std::move(top)).run()) return *failed;
  }
  if (::remove(path.c_str()) != 0) return Error(Errc::unavailable, system_error("cannot remove", path).what());
  return {};
}

}  // namespace rushes
