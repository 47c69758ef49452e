#include "box/detail/namespaces.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

namespace rushes::box::detail {
namespace {

constexpr unsigned kInsideId = 1000;

Result<void> write_text(const char* path, const std::string& text) {
  const FileDescriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) return system_error("cannot write", path);
  return {};
}

}  // namespace

Result<Cloned> clone_into(const Walls& walls, bool sibling) {
  unsigned long flags = CLONE_PIDFD;
  if (sibling) flags |= CLONE_PARENT;
  if (walls.user) flags |= CLONE_NEWUSER;
  if (walls.pid) flags |= CLONE_NEWPID;
  if (walls.network) flags |= CLONE_NEWNET;
  if (walls.mount) flags |= CLONE_NEWNS;
  if (walls.ipc) flags |= CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  int pidfd = -1;
  // clone and not clone3: container profiles refuse clone3, whose flags they cannot see. The child goes on with a copy
  // of this stack. With CLONE_PARENT it ends with the signal that this process ends with.
  const long pid = ::syscall(SYS_clone, flags | SIGCHLD, nullptr, &pidfd, nullptr, 0);
  if (pid < 0) return Error(Errc::unavailable, system_error("cannot make", "namespaces").what());
  return Cloned{static_cast<pid_t>(pid), FileDescriptor(pid == 0 ? -1 : pidfd)};
}

Result<void> map_ids(uid_t outside_user, gid_t outside_group) {
  // The files of a process that cannot be dumped belong to root.
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (auto denied = write_text("/proc/self/setgroups", "deny"); !denied) return denied;
  const auto line = [](unsigned outside) { return std::to_string(kInsideId) + " " + std::to_string(outside) + " 1"; };
  if (auto mapped = write_text("/proc/self/uid_map", line(outside_user)); !mapped) return mapped;
  if (auto mapped = write_text("/proc/self/gid_map", line(outside_group)); !mapped) return mapped;
  // A second wall beside the system call filter; /proc/sys may be read-only.
  (void)write_text("/proc/sys/user/max_user_namespaces", "0");
  return {};
}

Result<FileDescriptor> open_door() {
  const FileDescriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::memcpy(loopback.ifr_name, "lo", 3);
  loopback.ifr_flags = IFF_UP;
  if (!any || ::ioctl(any.get(), SIOCSIFFLAGS, &loopback) != 0) return system_error("cannot bring up", "the loopback");
  FileDescriptor door(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(kDoorPort);
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr int kWaiting = 64;
  if (!door || ::bind(door.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      ::listen(door.get(), kWaiting) != 0) {
    return system_error("cannot listen at", "the door");
  }
  return door;
}

Result<void> hide_host_name() {
  if (::sethostname("box", 3) != 0) return system_error("cannot set", "the host name");
  return {};
}

}  // namespace rushes::box::detail
