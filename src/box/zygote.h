#pragma once
#include "base/result.h"
#include "box/identity.h"
#include "box/spec.h"

#include <functional>

namespace rushes::box {

/// The one descriptor, beside the standard three, that a zygote is started with: a socket pair's end of packets.
constexpr int kZygoteFd = 3;

/// What a boxed process is to do, in its box. Gives its exit status. `channel.h` speaks to the server.
using BoxedWork = std::function<int(const BoxSpec& spec)>;

/// The life of a zygote: the warm parent, of one thread, that forks a process into a box for each order of the server.
/// What `warm_up` loads is shared by all of them, copy on write.
///
/// The server sends a `BoxSpec` with descriptors: the channel, standard error, the scratch folder, then the sources.
/// The answer is `made <pid>` with a pidfd, or why not. The child belongs to the server (CLONE_PARENT); the zygote
/// forgets it. Ends when the server closes its end. Gives the exit status.
///
/// `keep_privileges`: as root on a host without user namespaces; see `become`.
int run_zygote(const Identity& identity, bool keep_privileges, const std::function<void()>& warm_up,
               const BoxedWork& work);

}  // namespace rushes::box
