#include "box/identity.h"

#include "base/file.h"

#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace rushes::box {
namespace {

constexpr const char* kUser = "rushes";
constexpr uid_t kNobody = 65534;

Result<void> keep_only(std::uint32_t capabilities) {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> kept{};
  kept[0].permitted = kept[0].effective = capabilities;
  if (::syscall(SYS_capset, &head, kept.data()) != 0) return system_error("cannot keep", "capabilities");
  return {};
}

}  // namespace

Identity box_identity() {
  if (::geteuid() != 0) return {::geteuid(), ::getegid(), "the server's user", false};
  // Of one thread: at the start.
  if (const auto* found = ::getpwnam(kUser); found != nullptr && found->pw_uid != 0) {
    return {found->pw_uid, found->pw_gid, kUser, true};
  }
  return {kNobody, kNobody, "uid 65534", true};
}

Result<void> become(const Identity& identity, bool keep_privileges) {
  if (!identity.is_another) return {};
  ::prctl(PR_SET_KEEPCAPS, keep_privileges ? 1 : 0, 0, 0, 0);
  if (::syscall(SYS_setgroups, 0, nullptr) != 0 || ::setresgid(identity.group, identity.group, identity.group) != 0 ||
      ::setresuid(identity.user, identity.user, identity.user) != 0) {
    return system_error("cannot become", identity.name);
  }
  if (!keep_privileges) return {};
  return keep_only((1U << CAP_SYS_ADMIN) | (1U << CAP_NET_ADMIN) | (1U << CAP_SETPCAP));
}

}  // namespace rushes::box
