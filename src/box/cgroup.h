#pragma once
#include "base/file.h"
#include "base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace rushes::box {

/// The control group (cgroups(7), version 2) that the host has delegated to this server (systemd: `Delegate=yes`), with
/// one group below it for each box: memory and processes of all that runs in the box together.
///
/// Threads: immutable; its functions write to the kernel and do not wait.
class Cgroup {
 public:
  /// The delegated group, made ready for groups below it: the server itself moves to one of them. Nothing where none
  /// is delegated, or neither memory nor processes can be limited in it.
  static std::optional<Cgroup> find();

  /// A box's group, removed when it is destroyed.
  class Group {
   public:
    explicit Group(std::filesystem::path folder) : folder_(std::move(folder)) {}
    Group(Group&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
    Group& operator=(Group&&) = delete;
    ~Group();

    /// Whether the kernel ended something in it for want of memory.
    bool ran_out_of_memory() const;

   private:
    std::filesystem::path folder_;
  };

  /// Puts the process, before it starts others, into a new group. Errors: `unavailable`.
  Result<Group> limit(pid_t pid, std::uint64_t memory_bytes, std::uint64_t processes) const;

 private:
  explicit Cgroup(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
};

}  // namespace rushes::box
