#pragma once
#include <sys/types.h>

#include <cstdint>

namespace rushes::bench {

/// What a process has used so far.
struct Usage {
  double resident_kib = 0;
  double user_s = 0;
  double system_s = 0;

  double cpu_s() const { return user_s + system_s; }
};

/// From /proc; zeros where there is no such process, or where `pid` is 0.
Usage usage_of(pid_t pid);
Usage own_usage();

/// The kernel's slab memory, where its side of a socket lives.
double kernel_slab_kib();

/// CLOCK_MONOTONIC, in nanoseconds: comparable between processes of a machine.
std::uint64_t monotonic_ns();

}  // namespace rushes::bench
