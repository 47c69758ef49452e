#pragma once
#include "box/identity.h"
#include "box/spec.h"

#include <string>
#include <vector>

namespace rushes::box {

/// A wall that this host does not give.
struct MissingWall {
  std::string part;    // as docs/security.md names it: "network namespace"
  std::string why;     // what the kernel said
  std::string remedy;  // what an operator can do
};

/// What of a box can be had on this host.
struct HostReport {
  Walls walls;                   // what works, to be used
  bool keep_privileges = false;  // the zygote makes the namespaces as root: there are no user namespaces
  std::vector<MissingWall> missing;

  bool complete() const noexcept { return missing.empty(); }
};

/// Finds out by trying: makes whole boxes in children of this process and ends them, as `identity`. Where the whole
/// does not work, each wall by itself.
///
/// Threads: call it in a process of one thread, and for root in one that may lose its privileges.
HostReport examine_host(const Identity& identity);

/// For the server, which asks a program of its own (`rushes box-check`).
std::string encode(const HostReport& report);
/// Errors: `malformed`.
Result<HostReport> decode_host_report(std::string_view text);

}  // namespace rushes::box
