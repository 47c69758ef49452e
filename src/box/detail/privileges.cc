#include "box/detail/privileges.h"

#include "base/file.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace rushes::box::detail {
namespace {

struct HardLimit {
  __rlimit_resource resource;
  rlim_t value;
};

// The sanitizers' shadow memory is larger than any limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif

}  // namespace

Result<void> drop_privileges() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // needs CAP_SETPCAP, which a plain user lacks
  }
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &head, none.data()) != 0) return system_error("cannot drop", "capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("cannot set", "no_new_privs");
  return {};
}

Result<void> set_limits(const Limits& limits, std::uint64_t parent_bytes) {
  const std::array wanted{
      HardLimit{RLIMIT_CORE, 0},
      HardLimit{RLIMIT_MEMLOCK, 0},
      HardLimit{RLIMIT_MSGQUEUE, 0},
      HardLimit{RLIMIT_NOFILE, limits.open_files},
      HardLimit{RLIMIT_FSIZE, limits.file_bytes},
      HardLimit{RLIMIT_CPU, limits.cpu_seconds},
      HardLimit{RLIMIT_NPROC, limits.processes},
      HardLimit{RLIMIT_AS, kLimitsMemory ? parent_bytes + limits.memory_bytes : RLIM_INFINITY},
  };
  for (const auto& limit : wanted) {
    rlimit now{};
    ::getrlimit(limit.resource, &now);
    const auto value = std::min(limit.value, now.rlim_max);
    const rlimit both{value, value};
    if (::setrlimit(limit.resource, &both) != 0) {
      return system_error("cannot set", "limit " + std::to_string(limit.resource));
    }
  }
  return {};
}

std::uint64_t address_space() {
  const auto text = read_file("/proc/self/statm", 4'096);
  std::uint64_t pages = 0;
  if (text) (void)std::from_chars(text->data(), text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace rushes::box::detail
