#include "tries.h"

#include "box/enter.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>

namespace rushes::probe {
namespace {

// Below 0: refused, with errno.
using Attempt = std::function<long()>;
struct Named {
  const char* name;
  Attempt attempt;
};

long refused(int error) {
  errno = error;
  return -1;
}

long open_file(const std::string& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); }

/// A connection that comes about, not only one that may be tried.
long connect_to(int family, const char* address, int port) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  sockaddr_in6 six{};
  sockaddr_in four{};
  const sockaddr* to = nullptr;
  socklen_t size = 0;
  if (family == AF_INET) {
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    four.sin_addr.s_addr = ::inet_addr(address);
    to = reinterpret_cast<const sockaddr*>(&four);
    size = sizeof four;
  } else {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(static_cast<std::uint16_t>(port));
    six.sin6_addr = in6addr_loopback;
    to = reinterpret_cast<const sockaddr*>(&six);
    size = sizeof six;
  }
  if (::connect(fd, to, size) == 0) return 0;
  if (errno != EINPROGRESS) return -1;
  pollfd done{fd, POLLOUT, 0};
  constexpr int kPatience = 500;
  if (::poll(&done, 1, kPatience) <= 0) return refused(ETIMEDOUT);
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? 0 : refused(error);
}

long connect_unix(const std::string& name, bool abstract) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  sockaddr_un there{};
  there.sun_family = AF_UNIX;
  std::memcpy(there.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  const auto size = offsetof(sockaddr_un, sun_path) + name.size() + 1;
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&there), static_cast<socklen_t>(size));
}

long listen_everywhere() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) return -1;
  return ::listen(fd, 1);
}

long run_program() {
  const pid_t child = ::vfork();
  if (child == 0) {
    ::execl("/usr/bin/true", "true", nullptr);
    ::_exit(errno);
  }
  if (child < 0) return -1;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : refused(WEXITSTATUS(status));
}

long fork_once() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return child;
}

long make_code() {
  auto* code =
      static_cast<unsigned char*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  code[0] = 0xc3;  // ret
  if (::mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0) return 0;
  return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
             ? 0
             : -1;
}

long read_memory_of(int pid) {
  std::array<char, 8> bytes{};
  const iovec ours{bytes.data(), bytes.size()};
  const iovec theirs{reinterpret_cast<void*>(0x400000), bytes.size()};
  const auto got = ::process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
  return got < 0 && errno == EFAULT ? 0 : got;  // it was let in, and there is nothing
}

long gain_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> all{};
  all[0].effective = all[0].permitted = 1U << CAP_SYS_ADMIN;
  return ::syscall(SYS_capset, &head, all.data());
}

long raise_limit() {
  const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  return ::setrlimit(RLIMIT_NOFILE, &none);
}

std::vector<Named> processes(const Surroundings& around) {
  const auto proc = "/proc/" + std::to_string(around.server);
  const auto other = "/proc/" + std::to_string(around.victim);
  const int server = around.server;
  const int victim = around.victim;
  return {
      {"environment of the server", [=] { return open_file(proc + "/environ", O_RDONLY); }},
      {"memory of the server", [=] { return open_file(proc + "/mem", O_RDWR); }},
      {"memory map of the server", [=] { return open_file(proc + "/maps", O_RDONLY); }},
      {"descriptors of the server", [=] { return open_file(proc + "/fd", O_RDONLY | O_DIRECTORY); }},
      {"memory of another job", [=] { return open_file(other + "/mem", O_RDWR); }},
      {"list of processes", [] { return open_file("/proc", O_RDONLY | O_DIRECTORY); }},
      {"pidfd of the server", [=] { return ::syscall(SYS_pidfd_open, server, 0); }},
      {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 0, 0, 0); }},
      {"process_vm_readv of the server", [=] { return read_memory_of(server); }},
      {"ptrace of the server", [=] { return ::ptrace(PTRACE_SEIZE, server, nullptr, nullptr); }},
      {"process_madvise", [] { return ::syscall(SYS_process_madvise, -1, nullptr, 0, 0, 0); }},
      {"kcmp", [] { return ::syscall(SYS_kcmp, ::getpid(), ::getpid(), 0, 0, 0); }},
      {"signal to the server", [=] { return ::kill(server, 0); }},
      {"signal to a thread of the server", [=] { return ::syscall(SYS_tgkill, server, server, 0); }},
      {"signal to another job", [=] { return ::kill(victim, 0); }},
      {"signal to all processes", [] { return ::kill(-1, 0); }},
      {"leave the session", [] { return static_cast<long>(::setsid()); }},
      {"outlive the server", [] { return ::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"become readable", [] { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }},
      {"fork", fork_once},
      {"run a program", run_program},
      {"make code", make_code},
  };
}

std::vector<Named> files(const Surroundings& around) {
  const auto& data = around.data_folder;
  return {
      {"read the database", [=] { return open_file(data + "/rushes.db", O_RDONLY); }},
      {"write the database", [=] { return open_file(data + "/rushes.db", O_RDWR); }},
      {"read another user's upload", [=] { return open_file(data + "/uploads/other/source", O_RDONLY); }},
      {"list the data folder", [=] { return open_file(data, O_RDONLY | O_DIRECTORY); }},
      {"look at a file of the data folder", [=] { return ::access((data + "/rushes.db").c_str(), F_OK); }},
      {"write into the uploads", [=] { return open_file(data + "/uploads/new", O_CREAT | O_WRONLY); }},
      {"read /etc/passwd", [] { return open_file("/etc/passwd", O_RDONLY); }},
      {"read /etc/shadow", [] { return open_file("/etc/shadow", O_RDONLY); }},
      {"write /tmp", [] { return open_file("/tmp/rushes-probe", O_CREAT | O_RDWR); }},
      {"write /usr", [] { return open_file("/usr/rushes-probe", O_CREAT | O_RDWR); }},
      {"write the root", [] { return open_file("/rushes-probe", O_CREAT | O_RDWR); }},
      {"read a device", [] { return open_file("/dev/kmsg", O_RDONLY); }},
      {"write the source", [] { return ::pwrite(box::kFirstSourceFd, "x", 1, 0); }},
      {"truncate the source", [] { return ::ftruncate(box::kFirstSourceFd, 0); }},
      {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0); }},
      {"make a device", [] { return ::mknod("device", S_IFCHR | 0600, 0x103); }},
      {"link to the host", [] { return ::symlink("/etc/passwd", "link"); }},
      {"set-user-id file", [] { return ::chmod("set-user-id", 04755); }},
  };
}

std::vector<Named> sockets(const Surroundings& around) {
  return {
      {"service on 127.0.0.1 of the host", [=] { return connect_to(AF_INET, "127.0.0.1", around.tcp_port); }},
      {"service on ::1", [=] { return connect_to(AF_INET6, "", around.tcp_port); }},
      {"listen on all addresses", listen_everywhere},
      {"UDP", [] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }},
      {"raw socket", [] { return ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP); }},
      {"abstract socket of the host", [=] { return connect_unix(around.abstract, true); }},
      {"socket file of the host", [=] { return connect_unix(around.path_socket, false); }},
      {"AF_NETLINK", [] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0); }},
      {"AF_PACKET", [] { return ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); }},
      {"AF_VSOCK", [] { return ::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0); }},
      {"AF_ALG", [] { return ::socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); }},
  };
}

std::vector<Named> kernel() {
  return {
      {"unshare: user namespace", [] { return ::unshare(CLONE_NEWUSER); }},
      {"unshare: network namespace", [] { return ::unshare(CLONE_NEWNET); }},
      {"clone: user namespace",
       [] {
         const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
         if (child == 0) ::_exit(0);
         return child;
       }},
      {"clone3", [] { return ::syscall(SYS_clone3, nullptr, 0); }},
      {"setns", [] { return ::syscall(SYS_setns, -1, 0) == -1 && errno == EBADF ? 0L : -1L; }},
      {"mount", [] { return ::mount("x", ".", "tmpfs", 0, nullptr); }},
      {"fsopen", [] { return ::syscall(SYS_fsopen, "tmpfs", 0); }},
      {"open_tree", [] { return ::syscall(SYS_open_tree, AT_FDCWD, ".", 0); }},
      {"mount_setattr",
       [] { return ::syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, nullptr, 0) == -1 && errno == EINVAL ? 0L : -1L; }},
      {"chroot", [] { return ::chroot("."); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0) == -1 && errno != EPERM ? 0L : -1L; }},
      {"io_uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr) == -1 && errno == EFAULT ? 0L : -1L; }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 1); }},
      {"perf_event_open",
       [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0) == -1 && errno == EFAULT ? 0L : -1L; }},
      {"keyctl", [] { return ::syscall(SYS_keyctl, 0, -3, 0); }},
      {"add_key", [] { return ::syscall(SYS_add_key, "user", "x", "y", 1, -3); }},
      {"personality", [] { return static_cast<long>(::personality(0xffffffff)); }},
      {"modify_ldt", [] { return ::syscall(SYS_modify_ldt, 0, nullptr, 0); }},
      {"init_module", [] { return ::syscall(SYS_init_module, nullptr, 0, ""); }},
      {"seccomp", [] { return ::syscall(SYS_seccomp, 2, 0, nullptr) == -1 && errno == EFAULT ? 0L : -1L; }},
      {"become root", [] { return ::setuid(0); }},
      {"gain capabilities", gain_capabilities},
      {"raise a limit", raise_limit},
      {"raise its priority", [] { return ::setpriority(PRIO_PROCESS, 0, -5); }},
      {"know the host's name",
       [] {
         std::array<char, 64> name{};
         ::gethostname(name.data(), name.size());
         return std::string_view(name.data()) == "box" ? refused(EPERM) : 0L;
       }},
  };
}

}  // namespace

std::vector<Try> try_everything(const Surroundings& around) {
  std::vector<Try> all;
  for (const auto& group : {files(around), sockets(around), kernel(), processes(around)}) {
    for (const auto& [name, attempt] : group) {
      errno = 0;
      const bool passed = attempt() >= 0;
      all.push_back({name, passed, passed ? "" : std::strerror(errno)});
    }
  }
  return all;
}

}  // namespace rushes::probe
