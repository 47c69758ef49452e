#include "box/enter.h"

#include "box/detail/landlock.h"
#include "box/detail/messages.h"
#include "box/detail/namespaces.h"
#include "box/detail/own_root.h"
#include "box/detail/privileges.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

namespace rushes::box {
namespace {

/// Moves each descriptor to the number that a boxed process expects and closes all others. The scratch folder comes
/// behind the sources, to be closed later.
Result<FileDescriptor> place_descriptors(Entrance& entrance) {
  constexpr int kAside = 100;
  std::vector<int> aside;
  const auto set_aside = [&](FileDescriptor& fd) { aside.push_back(::fcntl(fd.release(), F_DUPFD_CLOEXEC, kAside)); };
  const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  set_aside(entrance.output);
  set_aside(entrance.channel);
  for (auto& source : entrance.sources) set_aside(source);
  set_aside(entrance.scratch);

  bool placed = nothing && ::dup2(nothing.get(), STDIN_FILENO) >= 0 && ::dup2(aside[0], STDOUT_FILENO) >= 0 &&
                ::dup2(aside[0], STDERR_FILENO) >= 0;
  int next = kChannelFd;
  for (std::size_t i = 1; i < aside.size(); ++i) placed = ::dup3(aside[i], next++, O_CLOEXEC) >= 0 && placed;
  if (!placed || ::close_range(static_cast<unsigned>(next), ~0U, 0) != 0) {
    return system_error("cannot place", "the descriptors of a box");
  }
  return FileDescriptor(next - 1);
}

/// What needs the rights that a new namespace gives. Gives the door's socket where there is a network namespace.
Result<FileDescriptor> furnish(const Entrance& entrance, const FileDescriptor& scratch) {
  const auto& walls = entrance.spec.walls;
  if (walls.user) {
    if (auto mapped = detail::map_ids(entrance.user, entrance.group); !mapped) return mapped.error();
  }
  if (walls.ipc) {
    if (auto hidden = detail::hide_host_name(); !hidden) return hidden.error();
  }
  FileDescriptor door;
  if (walls.network) {
    auto opened = detail::open_door();
    if (!opened) return opened;
    if (entrance.spec.profile == Profile::fetch) door = std::move(*opened);
  }
  if (walls.mount) {
    if (auto entered = detail::enter_own_root(entrance.spec, scratch); !entered) return entered.error();
  } else if (::fchdir(scratch.get()) != 0) {
    return system_error("cannot enter", "the scratch folder");
  }
  return door;
}

/// The kernel counts the processes of a user in a user namespace. Without one those of all boxes count together, where
/// only boxes have that user; else those of the server's user would, and none are counted.
Limits limits_of(const Entrance& entrance) {
  constexpr std::uint64_t kBoxes = 16;
  auto limits = entrance.spec.limits;
  if (!entrance.spec.walls.user) limits.processes = entrance.dedicated_user ? limits.processes * kBoxes : RLIM_INFINITY;
  return limits;
}

Result<void> tell_ready(const FileDescriptor& door) {
  const FileDescriptor here(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!here) return system_error("cannot open", "the scratch folder");
  std::vector<int> handed{here.get()};
  if (door) handed.push_back(door.get());
  return detail::send_message(kChannelFd, "ready", handed);
}

}  // namespace

Result<void> enter_box(Entrance entrance) {
  // A process group spans pid namespaces: without this, kill(0) reached the zygote.
  ::setsid();
  auto scratch = place_descriptors(entrance);
  if (!scratch) return scratch.error();
  auto door = furnish(entrance, *scratch);
  if (!door) return door.error();
  scratch->reset();

  const auto& spec = entrance.spec;
  if (auto dropped = detail::drop_privileges(); !dropped) return dropped;
  // After the last change of ids, which would clear it. The parent is the server's thread that started the zygote.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const detail::LandlockRules rules{spec.profile, spec.walls.landlock, spec.readable, spec.door_port};
  if (auto restricted = detail::restrict_files(rules); !restricted) return restricted;
  if (auto told = tell_ready(*door); !told) return told;
  door->reset();
  if (auto limited = detail::set_limits(limits_of(entrance), entrance.zygote_address_space); !limited) return limited;
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return spec.walls.seccomp ? entrance.filter->load() : Result<void>();
}

}  // namespace rushes::box
