#include "box/detail/own_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace rushes::box::detail {
namespace {

namespace fs = std::filesystem;

/// A part of the host's tree, held by its descriptor until it is attached in the new root.
struct Tree {
  FileDescriptor mount;
  std::string at;  // relative to the new root
  bool is_folder = true;
};

Result<Tree> protect(FileDescriptor mount, std::string at, std::uint64_t attributes) {
  Tree tree{std::move(mount), std::move(at), true};
  mount_attr attr{};
  attr.attr_set = attributes;
  if (::mount_setattr(tree.mount.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) != 0) {
    return system_error("cannot protect", tree.at);
  }
  struct stat about {};
  if (::fstat(tree.mount.get(), &about) != 0) return system_error("cannot look at", tree.at);
  tree.is_folder = S_ISDIR(about.st_mode);
  return tree;
}

/// Errors: `not_found` where there is no such file.
Result<Tree> take_tree(const std::string& from, std::string at, std::uint64_t attributes) {
  FileDescriptor mount(
      ::open_tree(AT_FDCWD, from.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | static_cast<unsigned>(AT_RECURSIVE)));
  if (!mount) return system_error("cannot take", from);
  return protect(std::move(mount), std::move(at), attributes);
}

Result<Tree> take_scratch(const BoxSpec& spec, const FileDescriptor& scratch) {
  constexpr std::uint64_t kData = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (spec.scratch_is_mount) {
    return protect(FileDescriptor(::fcntl(scratch.get(), F_DUPFD_CLOEXEC, 0)), "job", kData);
  }
  // A descriptor from another mount namespace cannot be mounted; its path leads to the same folder here.
  std::error_code failed;
  const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(scratch.get()), failed);
  if (failed) return Error(Errc::unavailable, "cannot find the scratch folder: " + failed.message());
  return take_tree(path.string(), "job", kData);
}

Result<void> attach(const Tree& tree) {
  std::error_code failed;
  const fs::path at(tree.at);
  fs::create_directories(tree.is_folder ? at : at.parent_path(), failed);
  // A file may be there already: named twice, or in a folder that was attached before.
  if (!tree.is_folder && ::access(tree.at.c_str(), F_OK) != 0) {
    const FileDescriptor place(::open(tree.at.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    if (!place) return system_error("cannot make a place for", tree.at);
  }
  if (::move_mount(tree.mount.get(), "", AT_FDCWD, tree.at.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return system_error("cannot mount", tree.at);
  }
  return {};
}

Result<std::vector<Tree>> take_host_trees(const std::vector<std::string>& readable) {
  constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  // /etc/alternatives: the BLAS of the speech engine; /etc/ssl: the certificates that Python trusts, and not the
  // private keys.
  std::vector<std::string> wanted{
      "/usr", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/alternatives", "/etc/ld.so.cache", "/dev/urandom"};
  for (const auto& path : readable) {
    if (!path.starts_with("/usr/")) wanted.push_back(path);
  }
  std::vector<Tree> trees;
  for (const auto& path : wanted) {
    auto tree = take_tree(path, path.substr(1), kReadOnly);
    if (!tree && tree.error().code() == Errc::not_found && path != "/usr") continue;
    if (!tree) return tree.error();
    trees.push_back(std::move(*tree));
  }
  auto null = take_tree("/dev/null", "dev/null", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (!null) return null.error();
  trees.push_back(std::move(*null));
  return trees;
}

Result<void> attach_scratch(const Tree& on_disk, std::uint64_t bytes) {
  if (bytes == 0) return attach(on_disk);
  const auto options = "mode=700,nr_inodes=4k,size=" + std::to_string(bytes);
  if (::mkdir("job", 0700) != 0 ||
      ::mount("job", "job", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) != 0) {
    return system_error("cannot mount", "the scratch folder");
  }
  return {};
}

/// The usual links of a merged /usr, and the last step: the old root is gone, the new one cannot be written.
Result<void> swap_roots() {
  for (const char* link : {"bin", "lib", "lib32", "lib64", "sbin"}) {
    if (::symlink((std::string("usr/") + link).c_str(), link) != 0) return system_error("cannot link", link);
  }
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return system_error("cannot enter", "the root of a box");
  if (::umount2(".", MNT_DETACH) != 0) return system_error("cannot leave", "the host's root");
  mount_attr read_only{};
  read_only.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(AT_FDCWD, "/", 0, &read_only, sizeof read_only) != 0) return system_error("cannot protect", "/");
  if (::chdir("/job") != 0) return system_error("cannot enter", "/job");
  return {};
}

}  // namespace

Result<void> enter_own_root(const BoxSpec& spec, const FileDescriptor& scratch) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return system_error("cannot part from the mounts of", "the host");
  }
  // All is taken before the new root hides it.
  auto trees = take_host_trees(spec.readable);
  if (!trees) return trees.error();
  Tree on_disk;
  if (spec.limits.scratch_bytes == 0) {
    auto taken = take_scratch(spec, scratch);
    if (!taken) return taken.error();
    on_disk = std::move(*taken);
  }
  constexpr const char* kSmall = "size=256k,nr_inodes=512,mode=755";
  if (::mount("box", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, kSmall) != 0 || ::chdir("/tmp") != 0) {
    return system_error("cannot mount", "the root of a box");
  }
  for (const auto& tree : *trees) {
    if (auto attached = attach(tree); !attached) return attached;
  }
  if (auto attached = attach_scratch(on_disk, spec.limits.scratch_bytes); !attached) return attached;
  return swap_roots();
}

}  // namespace rushes::box::detail
