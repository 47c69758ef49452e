#include "box/host.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "box/detail/landlock.h"
#include "box/detail/messages.h"
#include "box/detail/namespaces.h"
#include "box/enter.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace rushes::box {
namespace {

constexpr const char* kNamespaces =
    "allow unprivileged user namespaces: sysctl kernel.unprivileged_userns_clone=1 and user.max_user_namespaces above "
    "0; "
    "in a container a seccomp profile that allows them; on Ubuntu an AppArmor profile with 'userns' "
    "(docs/security.md)";
constexpr const char* kLandlock = "a kernel from 5.13 on, started with landlock among lsm=";
constexpr const char* kSeccomp = "a kernel with CONFIG_SECCOMP_FILTER";

/// A part that can be tried by itself.
struct Part {
  const char* name;
  const char* remedy;
  bool Walls::*wall;
};
constexpr std::array kParts{
    Part{"user namespace", kNamespaces, &Walls::user},   Part{"pid namespace", kNamespaces, &Walls::pid},
    Part{"ipc namespace", kNamespaces, &Walls::ipc},     Part{"network namespace", kNamespaces, &Walls::network},
    Part{"mount namespace", kNamespaces, &Walls::mount}, Part{"seccomp", kSeccomp, &Walls::seccomp}};

constexpr Walls kNoWalls{false, false, false, false, false, 0, false};

/// In a child of its own: becomes the box's user, makes a box and waits for its end. Gives what went wrong.
std::string make_box(const Identity& identity, bool keep_privileges, const Walls& walls) {
  if (auto became = become(identity, keep_privileges); !became) return became.error().what();
  auto filter = detail::SyscallFilter::make(Profile::fetch);
  if (!filter) return filter.error().what();
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return "no socket pair";
  const FileDescriptor ours(pair[0]);
  Entrance entrance;
  entrance.channel = FileDescriptor(pair[1]);
  entrance.spec.profile = Profile::fetch;
  entrance.spec.walls = walls;
  entrance.spec.limits.scratch_bytes = walls.mount ? 1U << 20U : 0;
  entrance.filter = &*filter;
  entrance.user = identity.user;
  entrance.group = identity.group;
  entrance.zygote_address_space = std::uint64_t{1} << 40U;
  entrance.output = FileDescriptor(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  entrance.scratch = FileDescriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  auto cloned = detail::clone_into(walls, false);
  if (!cloned) return cloned.error().what();
  if (cloned->pid == 0) {
    const auto entered = enter_box(std::move(entrance));
    if (!entered) (void)detail::send_message(kChannelFd, entered.error().what());
    std::_Exit(entered ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  entrance.channel.reset();
  int status = 0;
  ::waitpid(cloned->pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) return {};
  std::string last;
  for (auto message = detail::receive_message(ours.get()); message && !message->text.empty();
       message = detail::receive_message(ours.get())) {
    last = message->text == "ready" ? "the system call filter cannot be loaded" : message->text;
  }
  return last.empty() ? "it ended with status " + std::to_string(status) : last;
}

class Examination {
 public:
  explicit Examination(const Identity& identity) : identity_(identity) {}

  HostReport run() {
    Walls all;
    all.landlock = detail::landlock_abi();
    if (all.landlock == 0) missing("Landlock", "the kernel has none", kLandlock);
    report_.walls = all;
    if (!trouble_with(all)) return report_;
    if (identity_.is_another) {
      auto privileged = all;
      privileged.user = false;
      report_.keep_privileges = true;
      report_.walls = privileged;
      if (!trouble_with(privileged)) return report_;
      report_.keep_privileges = false;
    }
    report_.walls = each_by_itself(all);
    return report_;
  }

 private:
  /// What goes wrong with a box of these walls; nothing where it works.
  std::optional<std::string> trouble_with(const Walls& walls) const {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return "no pipe";
    const FileDescriptor read(pipe[0]);
    FileDescriptor write(pipe[1]);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto wrong = make_box(identity_, report_.keep_privileges, walls);
      (void)!::write(write.get(), wrong.data(), wrong.size());
      std::_Exit(EXIT_SUCCESS);
    }
    write.reset();
    std::array<char, 1'024> text{};
    const auto got = ::read(read.get(), text.data(), text.size());
    ::waitpid(child, nullptr, 0);
    if (child < 0 || got < 0) return "no process can be made";
    if (got == 0) return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(got));
  }

  Walls each_by_itself(const Walls& all) {
    auto usable = kNoWalls;
    usable.landlock = all.landlock;
    for (const auto& part : kParts) {
      auto tried = kNoWalls;
      tried.user = usable.user;  // the others need it
      tried.*part.wall = true;
      const auto wrong = trouble_with(tried);
      usable.*part.wall = !wrong;
      if (wrong) missing(part.name, *wrong, part.remedy);
    }
    if (const auto wrong = trouble_with(usable)) {
      missing("the namespaces together", *wrong, kNamespaces);
      const bool seccomp = usable.seccomp;
      usable = kNoWalls;
      usable.landlock = all.landlock;
      usable.seccomp = seccomp;
    }
    return usable;
  }

  void missing(std::string part, std::string why, const char* remedy) {
    report_.missing.push_back({std::move(part), std::move(why), remedy});
  }

  const Identity& identity_;
  HostReport report_;
};

}  // namespace

HostReport examine_host(const Identity& identity) { return Examination(identity).run(); }

std::string encode(const HostReport& report) {
  json::array missing;
  for (const auto& one : report.missing) {
    missing.push_back(json::object{{"part", one.part}, {"why", one.why}, {"remedy", one.remedy}});
  }
  BoxSpec spec;
  spec.walls = report.walls;
  return to_json_text(
      json::object{{"spec", encode(spec)}, {"keepPrivileges", report.keep_privileges}, {"missing", missing}});
}

Result<HostReport> decode_host_report(std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return Error(Errc::malformed, "box: no report about the host");
  const auto& object = value->get_object();
  const auto spec = decode_box_spec(string_member(object, "spec").value_or(""));
  if (!spec) return spec.error();
  HostReport report;
  report.walls = spec->walls;
  const auto* keep = object.if_contains("keepPrivileges");
  report.keep_privileges = keep != nullptr && keep->is_bool() && keep->get_bool();
  if (const auto* missing = object.if_contains("missing"); missing != nullptr && missing->is_array()) {
    for (const auto& one : missing->get_array()) {
      if (!one.is_object()) continue;
      const auto text_of = [&](std::string_view key) { return string_member(one.get_object(), key).value_or(""); };
      report.missing.push_back({text_of("part"), text_of("why"), text_of("remedy")});
    }
  }
  return report;
}

}  // namespace rushes::box
