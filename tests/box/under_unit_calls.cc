// The system call filters of systemd 252 (src/shared/seccomp-util.c), made of the same settings.
#include "under_unit.h"

#include <seccomp.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace {

class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : context_(::seccomp_init(otherwise)) {}
  ~Filter() { ::seccomp_release(context_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void rule(std::uint32_t action, const std::string& name, const std::vector<scmp_arg_cmp>& when = {}) {
    const int number = ::seccomp_syscall_resolve_name(name.c_str());
    if (number < 0) return;  // not of this architecture
    const int failed =
        ::seccomp_rule_add_array(context_, action, number, static_cast<unsigned>(when.size()), when.data());
    errno = -failed;
    must(failed == 0, name);
  }
  void refuse(const std::string& name, const std::vector<scmp_arg_cmp>& when = {}, int error = EPERM) {
    rule(SCMP_ACT_ERRNO(static_cast<unsigned>(error)), name, when);
  }
  void load() {
    errno = -::seccomp_load(context_);
    must(errno == 0, "a filter");
  }

 private:
  scmp_filter_ctx context_;
};

constexpr std::uint32_t kAllow = SCMP_ACT_ALLOW;

void restrict_namespaces(const std::set<std::string>& allowed) {
  const std::map<std::string, scmp_datum_t> all{
      {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC},   {"net", CLONE_NEWNET}, {"mnt", CLONE_NEWNS},
      {"pid", CLONE_NEWPID},       {"user", CLONE_NEWUSER}, {"uts", CLONE_NEWUTS}};
  for (const auto& name : allowed) must(all.contains(name), "RestrictNamespaces=" + name);
  if (allowed.size() == all.size()) return;
  Filter filter(kAllow);
  filter.refuse("clone3", {}, ENOSYS);
  if (allowed.empty()) filter.refuse("setns");
  if (!allowed.empty()) filter.refuse("setns", {SCMP_A1(SCMP_CMP_EQ, 0)});
  for (const auto& [name, flag] : all) {
    if (allowed.contains(name)) continue;
    filter.refuse("unshare", {SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)});
    filter.refuse("clone", {SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)});
    if (!allowed.empty()) filter.refuse("setns", {SCMP_A1(SCMP_CMP_MASKED_EQ, flag, flag)});
  }
  filter.load();
}

void restrict_families(const std::set<std::string>& allowed) {
  const std::map<std::string, int> known{
      {"AF_UNIX", AF_UNIX}, {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}, {"AF_NETLINK", AF_NETLINK}};
  for (const auto& name : allowed) must(known.contains(name), "RestrictAddressFamilies=" + name);
  Filter filter(kAllow);
  constexpr int kFamilies = 46;
  for (int family = 0; family < kFamilies; ++family) {
    bool refused = true;
    for (const auto& [name, number] : known) {
      if (number == family && allowed.contains(name)) refused = false;
    }
    const auto value = static_cast<scmp_datum_t>(family);
    if (refused) filter.refuse("socket", {SCMP_A0(SCMP_CMP_EQ, value)}, EAFNOSUPPORT);
  }
  filter.refuse("socket", {SCMP_A0(SCMP_CMP_GE, kFamilies)}, EAFNOSUPPORT);
  filter.load();
}

void deny_writable_code() {
  Filter filter(kAllow);
  constexpr scmp_datum_t kBoth = PROT_EXEC | PROT_WRITE;
  filter.refuse("mmap", {SCMP_A2(SCMP_CMP_MASKED_EQ, kBoth, kBoth)});
  filter.refuse("mprotect", {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)});
  filter.refuse("pkey_mprotect", {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC)});
  filter.refuse("shmat", {SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_EXEC, SHM_EXEC)});
  filter.load();
}

void restrict_set_id_files() {
  Filter filter(kAllow);
  for (const scmp_datum_t bit : {S_ISUID, S_ISGID}) {
    filter.refuse("chmod", {SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("fchmod", {SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("fchmodat", {SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("mkdir", {SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("mkdirat", {SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("mknod", {SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("mknodat", {SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("creat", {SCMP_A1(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("open", {SCMP_A1(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT), SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit)});
    filter.refuse("openat", {SCMP_A2(SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT), SCMP_A3(SCMP_CMP_MASKED_EQ, bit, bit)});
  }
  filter.refuse("openat2", {}, ENOSYS);  // its flags cannot be seen
  filter.load();
}

void restrict_realtime() {
  Filter filter(kAllow);
  filter.refuse("sched_setscheduler", {SCMP_A1(SCMP_CMP_GT, SCHED_IDLE)});
  for (const scmp_datum_t policy : {SCHED_FIFO, SCHED_RR}) {
    filter.refuse("sched_setscheduler", {SCMP_A1(SCMP_CMP_EQ, policy)});
  }
  filter.load();
}

void lock_personality() {
  Filter filter(kAllow);
  filter.refuse("personality", {SCMP_A0(SCMP_CMP_NE, 0)});
  filter.load();
}

void refuse_all(std::initializer_list<const char*> names) {
  Filter filter(kAllow);
  for (const auto* name : names) filter.refuse(name);
  filter.load();
}

/// The filter that the unit spells out; nothing can be loaded behind it, unless it allows that.
void allow_only(const std::set<std::string>& names) {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  for (const auto& name : names) filter.rule(kAllow, name);
  filter.load();
}

}  // namespace

void filter_calls(const Settings& settings) {
  const auto is_set = [&](const char* name) {
    const auto found = settings.find(name);
    return found != settings.end() && found->second == "yes";
  };
  const auto list = [&](const char* name) { return words_of(settings.at(name)); };
  must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
  if (is_set("LockPersonality")) lock_personality();
  if (is_set("RestrictRealtime")) restrict_realtime();
  if (is_set("RestrictSUIDSGID")) restrict_set_id_files();
  if (is_set("MemoryDenyWriteExecute")) deny_writable_code();
  if (is_set("ProtectHostname")) refuse_all({"sethostname", "setdomainname"});
  if (is_set("ProtectKernelLogs")) refuse_all({"syslog"});
  if (is_set("ProtectKernelModules")) refuse_all({"init_module", "finit_module", "delete_module"});
  if (is_set("ProtectClock")) refuse_all({"adjtimex", "clock_adjtime", "clock_settime", "settimeofday"});
  if (settings.contains("RestrictAddressFamilies")) restrict_families(list("RestrictAddressFamilies"));
  if (settings.contains("RestrictNamespaces")) restrict_namespaces(list("RestrictNamespaces"));
  if (settings.contains("SystemCallFilter")) allow_only(list("SystemCallFilter"));
}
