#include "worker/sandbox.h"

#include "base/file.h"

#include <seccomp.h>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace rushes::worker {
namespace {

// Refused with EPERM rather than death: libraries probe some of them and live without.
constexpr std::array kRefused{
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(setpgid),
    SCMP_SYS(setsid),
};

struct Limit {
  __rlimit_resource resource;
  rlim_t value;
};
constexpr std::array kLimits{
    Limit{RLIMIT_CORE, 0},
    Limit{RLIMIT_NOFILE, 256},
    Limit{RLIMIT_FSIZE, rlim_t{8} << 30U},
};

Result<void> refuse_calls() {
  const std::unique_ptr<void, decltype(&::seccomp_release)> filter(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release);
  if (!filter) return Error(Errc::unavailable, "sandbox: no memory for the system call filter");
  for (const int call : kRefused) {
    if (const int failed = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0); failed != 0) {
      errno = -failed;
      return system_error("sandbox: cannot refuse", "system call " + std::to_string(call));
    }
  }
  if (const int failed = ::seccomp_load(filter.get()); failed != 0) {
    errno = -failed;
    return system_error("sandbox: cannot load", "the system call filter");
  }
  return {};
}

}  // namespace

Result<void> enter_sandbox() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("sandbox: cannot set", "no_new_privs");
  for (const auto& limit : kLimits) {
    rlimit now{};
    ::getrlimit(limit.resource, &now);
    const rlimit wanted{std::min(limit.value, now.rlim_max), std::min(limit.value, now.rlim_max)};
    if (::setrlimit(limit.resource, &wanted) != 0) {
      return system_error("sandbox: cannot set", "limit " + std::to_string(limit.resource));
    }
  }
  return refuse_calls();
}

}  // namespace rushes::worker
