#pragma once
#include "base/result.h"
#include "box/identity.h"
#include "box/spec.h"

#include <functional>

namespace rushes::box {

/// The one descriptor, beside the standard three, that a zygote is started with: one end of a SOCK_SEQPACKET pair. Not
/// to be confused with `kChannelFd` of a boxed process, which has the same number.
constexpr int kZygoteFd = 3;

/// What a boxed process does in its box; returns the process's exit status. It speaks to the server by `channel.h`.
using BoxedWork = std::function<int(const BoxSpec& spec)>;

/// The life of a zygote: the warm parent, of one thread, that forks a process into a box for each order of the server.
/// What `warm_up` loads is shared by all of them, copy on write.
///
/// The server sends a `BoxSpec` with descriptors: the channel, standard error, the scratch folder, then the sources.
/// The answer is `made <pid>` with a pidfd, or why not. The child belongs to the server (CLONE_PARENT); the zygote
/// forgets it. Returns the zygote's exit status when the server closes its end.
///
/// `keep_privileges`: as root on a host without user namespaces; see `become` (identity.h).
int run_zygote(const Identity& identity, bool keep_privileges, const std::function<void()>& warm_up,
               const BoxedWork& work);

}  // namespace rushes::box
