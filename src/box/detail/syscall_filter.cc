#include "box/detail/syscall_filter.h"

#include "base/file.h"

#include <seccomp.h>

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <span>

namespace rushes::box::detail {
namespace {

// What both profiles were seen to need (strace), and what glibc and the allocator may.
constexpr std::array kBoth{"read",
                           "write",
                           "readv",
                           "writev",
                           "pread64",
                           "lseek",
                           "close",
                           "fstat",
                           "newfstatat",
                           "statx",
                           "openat",
                           "fcntl",
                           "munmap",
                           "mremap",
                           "madvise",
                           "brk",
                           "futex",
                           "rt_sigprocmask",
                           "rt_sigreturn",
                           "rt_sigaction",
                           "clock_gettime",
                           "clock_getres",
                           "clock_nanosleep",
                           "gettimeofday",
                           "getrandom",
                           "getpid",
                           "gettid",
                           "exit",
                           "exit_group",
                           "sched_yield",
                           "sched_getaffinity",
                           "restart_syscall",
                           "poll",
                           "ppoll",
                           "recvfrom",
                           "sendto",
                           "unlink",
                           "unlinkat",
                           "rename",
                           "renameat",
                           "renameat2",
                           "mkdir",
                           "mkdirat",
                           "rmdir",
                           "ftruncate",
                           "set_robust_list",
                           "rseq",
                           "sigaltstack",
                           "fdatasync",
                           "fsync",
                           "getuid",
                           "geteuid",
                           "getgid",
                           "getegid",
                           "sysinfo",
                           "uname",
                           "getrusage",
                           "getdents64",
                           "access",
                           "faccessat",
                           "faccessat2",
                           "readlink",
                           "readlinkat",
                           "getcwd",
                           "umask",
                           "dup",
                           "nanosleep"};

// yt-dlp, Python, and the program that runs it.
constexpr std::array kFetch{"execve",        "wait4",      "waitid",     "pipe2",       "dup2",
                            "dup3",          "chdir",      "fchdir",     "arch_prctl",  "set_tid_address",
                            "prlimit64",     "getppid",    "connect",    "getsockname", "getpeername",
                            "getsockopt",    "setsockopt", "shutdown",   "select",      "pselect6",
                            "epoll_create1", "epoll_ctl",  "epoll_wait", "epoll_pwait", "stat",
                            "lstat",         "utimensat",  "vfork",      "kill",        "close_range",
                            "sendmsg",       "recvmsg",    "flock",      "pidfd_open",  "open",
                            "getpgrp",       "truncate",   "time",       "getgroups",   "sched_setaffinity"};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// What the sanitizers' checks of memory need.
constexpr std::array kSanitizers{"pipe", "pipe2"};
#else
constexpr std::array<const char*, 0> kSanitizers{};
#endif

// CLONE_NEW*: user, pid, net, ipc, uts, mount, cgroup and time namespaces.
constexpr scmp_datum_t kNewNamespaces =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP | 0x80;

// libseccomp's own macros for these are C.
scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// libseccomp's filter while it is made.
class Draft {
 public:
  Draft() : filter_(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), &::seccomp_release) {}

  void allow(const char* name, std::initializer_list<scmp_arg_cmp> when = {}) {
    rule(SCMP_ACT_ALLOW, name, {when.begin(), when.size()});
  }
  void allow_all(std::span<const char* const> names) {
    for (const auto* name : names) allow(name);
  }
  void refuse(const char* name, int error) { rule(SCMP_ACT_ERRNO(static_cast<unsigned>(error)), name, {}); }

  Result<std::vector<sock_filter>> program() {
    const FileDescriptor memory(::memfd_create("filter", MFD_CLOEXEC));
    if (failed_.empty() && (!memory || ::seccomp_export_bpf(filter_.get(), memory.get()) != 0)) failed_ = "export";
    if (!failed_.empty()) return Error(Errc::unavailable, "box: the system call filter cannot be made: " + failed_);
    const auto bytes = ::lseek(memory.get(), 0, SEEK_CUR);
    std::vector<sock_filter> code(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
    if (::pread(memory.get(), code.data(), code.size() * sizeof(sock_filter), 0) != bytes) {
      return system_error("cannot read", "the system call filter");
    }
    return code;
  }

 private:
  void rule(std::uint32_t action, const char* name, std::span<const scmp_arg_cmp> when) {
    const int number = ::seccomp_syscall_resolve_name(name);
    const auto count = static_cast<unsigned>(when.size());
    if (filter_ && ::seccomp_rule_add_array(filter_.get(), action, number, count, when.data()) == 0) return;
    failed_ = name;
  }

  std::unique_ptr<void, decltype(&::seccomp_release)> filter_;
  std::string failed_;
};

void add_fetch(Draft& draft) {
  draft.allow_all(kFetch);
  draft.allow("clone", {masked(0, kNewNamespaces, 0)});
  // The loader of each new program maps code.
  draft.allow("mmap");
  draft.allow("mprotect");
  draft.allow("prctl", {equals(0, PR_SET_NAME)});
  constexpr std::array<scmp_datum_t, 5> kRequests{TCGETS, TIOCGWINSZ, FIONBIO, FIOCLEX, FIONREAD};
  for (const auto request : kRequests) draft.allow("ioctl", {equals(1, request)});
  constexpr scmp_datum_t kKind = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  draft.allow("socket", {equals(0, AF_INET), masked(1, kKind, SOCK_STREAM)});
}

void add_analysis(Draft& draft) {
  // Threads, no processes; no new code.
  draft.allow("clone", {masked(0, CLONE_THREAD | kNewNamespaces, CLONE_THREAD)});
  draft.allow("mmap", {masked(2, PROT_EXEC, 0)});
  draft.allow("mprotect", {masked(2, PROT_EXEC, 0)});
  draft.allow("prctl", {equals(0, PR_SET_NAME)});
  draft.refuse("ioctl", ENOTTY);  // "is this a terminal?"
}

}  // namespace

Result<SyscallFilter> SyscallFilter::make(Profile profile) {
  Draft draft;
  draft.allow_all(kBoth);
  draft.allow_all(kSanitizers);
  constexpr scmp_datum_t kSetIds = S_ISUID | S_ISGID | S_ISVTX;
  draft.allow("fchmod", {masked(1, kSetIds, 0)});
  if (profile == Profile::fetch) {
    add_fetch(draft);
  } else {
    add_analysis(draft);
  }
  // A filter cannot see the flags of clone3; glibc takes clone where there is none.
  draft.refuse("clone3", ENOSYS);
  auto program = draft.program();
  if (!program) return program.error();
  SyscallFilter filter;
  filter.program_ = std::move(*program);
  return filter;
}

Result<void> SyscallFilter::load() const {
  // The kernel only reads it.
  const sock_fprog program{static_cast<unsigned short>(program_.size()), const_cast<sock_filter*>(program_.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    return system_error("cannot load", "the system call filter");
  }
  return {};
}

}  // namespace rushes::box::detail
