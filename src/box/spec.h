#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::box {

/// Where the door stands in the network namespace of a box, on 127.0.0.1.
constexpr std::uint16_t kDoorPort = 3128;

/// What the code in a box has to do, and so which system calls and files it gets.
enum class Profile : std::uint8_t {
  analysis,  // decodes and analyses what it was handed: no sockets, no exec
  fetch,     // runs yt-dlp: exec, and TCP to the door
};

/// The walls of a box. A host may lack some of them (`examine_host`).
struct Walls {
  bool user = true;      // user namespace; without it the zygote needs privileges to make the others
  bool pid = true;       // pid namespace: sees no process, and nothing outlives the job
  bool ipc = true;       // ipc, uts and cgroup namespaces
  bool network = true;   // network namespace: only the door is reachable
  bool mount = true;     // mount namespace with a root of its own
  int landlock = 1'000;  // newest Landlock ABI to use; the kernel's own where that is older; 0: none
  bool seccomp = true;   // allow-list of system calls
  bool operator==(const Walls&) const = default;
};

/// What a job in a box may use up. Each is a hard limit of the kernel's.
struct Limits {
  std::uint64_t memory_bytes = std::uint64_t{2} << 30U;  // address space of each process, beyond what the zygote has
  std::uint64_t cpu_seconds = 14'400;                    // processor time of each process
  std::uint64_t processes = 16;  // and threads; see docs/security.md for hosts without user namespaces
  std::uint64_t file_bytes = std::uint64_t{1} << 30U;  // size of each file
  std::uint64_t open_files = 64;
  /// Size of the scratch folder, which is then in memory; 0: the folder that the order hands in, on disk.
  /// Needs the mount namespace; without it the folder on disk is taken in any case.
  std::uint64_t scratch_bytes = 0;
};

/// All that a zygote must know to make one box. A value that crosses to it.
struct BoxSpec {
  Profile profile = Profile::analysis;
  Walls walls;
  Limits limits;
  std::vector<std::string> readable;  // files and folders beyond /usr that its programs need; absolute
  std::uint16_t door_port = kDoorPort;
  bool scratch_is_mount = false;  // the order's scratch folder comes as a mount of its own (`BoxOrder::scratch`)
};

std::string encode(const BoxSpec& spec);
/// Errors: `malformed`.
Result<BoxSpec> decode_box_spec(std::string_view text);

}  // namespace rushes::box
