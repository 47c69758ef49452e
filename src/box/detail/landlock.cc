#include "box/detail/landlock.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace rushes::box::detail {
namespace {

// Debian 12's header ends at ABI 2; these are the kernel's numbers (include/uapi/linux/landlock.h).
constexpr std::uint64_t kExecute = 1U << 0U;
constexpr std::uint64_t kWriteFile = 1U << 1U;
constexpr std::uint64_t kReadFile = 1U << 2U;
constexpr std::uint64_t kReadFolder = 1U << 3U;
constexpr std::uint64_t kRemoveFolder = 1U << 4U;
constexpr std::uint64_t kRemoveFile = 1U << 5U;
constexpr std::uint64_t kMakeFolder = 1U << 7U;
constexpr std::uint64_t kMakeFile = 1U << 8U;
constexpr std::uint64_t kFirstAbi = (1U << 13U) - 1;
constexpr std::uint64_t kRefer = 1U << 13U;        // ABI 2
constexpr std::uint64_t kTruncate = 1U << 14U;     // ABI 3
constexpr std::uint64_t kDeviceIoctl = 1U << 15U;  // ABI 5
constexpr std::uint64_t kBindTcp = 1U << 0U;       // ABI 4
constexpr std::uint64_t kConnectTcp = 1U << 1U;
constexpr std::uint64_t kAbstractSocket = 1U << 0U;  // ABI 6
constexpr std::uint64_t kSignal = 1U << 1U;
constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;

constexpr int kRulePath = 1;
constexpr int kRulePort = 2;

struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;  // ABI 4
  std::uint64_t scoped = 0;   // ABI 6
};
struct [[gnu::packed]] PathRule {
  std::uint64_t access;
  std::int32_t parent;
};
struct PortRule {
  std::uint64_t access;
  std::uint64_t port;
};

class Ruleset {
 public:
  explicit Ruleset(int abi) : abi_(abi) {
    handled_.files = kFirstAbi | (abi >= 2 ? kRefer : 0) | (abi >= 3 ? kTruncate : 0) | (abi >= 5 ? kDeviceIoctl : 0);
    handled_.network = abi >= 4 ? kBindTcp | kConnectTcp : 0;
    handled_.scoped = abi >= 6 ? kAbstractSocket | kSignal : 0;
    const std::size_t size = abi < 4 ? 8 : abi < 6 ? 16 : 24;
    rules_ = FileDescriptor(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &handled_, size, 0)));
  }

  bool made() const noexcept { return static_cast<bool>(rules_); }

  /// What is not there need not be allowed.
  Result<void> allow(const std::string& path, std::uint64_t access) {
    const FileDescriptor at(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat about {};
    if (!at || ::fstat(at.get(), &about) != 0) return {};
    if (!S_ISDIR(about.st_mode)) access &= kOfFiles;
    const PathRule rule{access & handled_.files, at.get()};
    if (::syscall(SYS_landlock_add_rule, rules_.get(), kRulePath, &rule, 0) != 0) {
      return system_error("landlock: cannot allow", path);
    }
    return {};
  }

  Result<void> allow_port(std::uint16_t port) {
    if (abi_ < 4) return {};
    const PortRule rule{kConnectTcp, port};
    if (::syscall(SYS_landlock_add_rule, rules_.get(), kRulePort, &rule, 0) != 0) {
      return system_error("landlock: cannot allow", "the door's port");
    }
    return {};
  }

  Result<void> enforce() {
    if (::syscall(SYS_landlock_restrict_self, rules_.get(), 0) != 0) {
      return system_error("landlock: cannot restrict", "this process");
    }
    return {};
  }

 private:
  int abi_;
  RulesetAttributes handled_;
  FileDescriptor rules_;
};

}  // namespace

int landlock_abi() {
  constexpr int kVersion = 1;
  return static_cast<int>(std::max(0L, ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersion)));
}

Result<void> restrict_files(const LandlockRules& rules) {
  const int abi = std::min(rules.abi, landlock_abi());
  if (abi <= 0) return {};
  Ruleset set(abi);
  if (!set.made()) return system_error("cannot make", "a Landlock ruleset");

  constexpr std::uint64_t kRead = kReadFile | kReadFolder;
  constexpr std::uint64_t kScratch =
      kRead | kWriteFile | kRemoveFolder | kRemoveFile | kMakeFolder | kMakeFile | kTruncate;
  const bool fetch = rules.profile == Profile::fetch;
  std::vector<std::string> readable{"/usr", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/alternatives",
                                    "/etc/ld.so.cache"};
  readable.insert(readable.end(), rules.readable.begin(), rules.readable.end());
  for (const auto& path : readable) {
    if (auto allowed = set.allow(path, kRead | (fetch ? kExecute : 0)); !allowed) return allowed;
  }
  if (auto allowed = set.allow("/dev/null", kReadFile | kWriteFile); !allowed) return allowed;
  if (auto allowed = set.allow("/dev/urandom", kReadFile); !allowed) return allowed;
  if (auto allowed = set.allow(".", kScratch); !allowed) return allowed;
  if (fetch) {
    if (auto allowed = set.allow_port(rules.door_port); !allowed) return allowed;
  }
  return set.enforce();
}

}  // namespace rushes::box::detail
