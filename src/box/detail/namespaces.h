#pragma once
#include "base/file.h"
#include "base/result.h"
#include "box/spec.h"

#include <sys/types.h>

namespace rushes::box::detail {

/// Both sides of a clone: 0 in the child; in the parent the child's id, and a descriptor of it.
struct Cloned {
  pid_t pid = -1;
  FileDescriptor pidfd;
};

/// Copies this process into the namespaces that `walls` names (clone(2)), as a child of this process's PARENT
/// (CLONE_PARENT): the server waits for it and is told of its end, also when the zygote dies.
///
/// `sibling` false: as a child of this process, for trials.
/// Errors: `unavailable`, with what the kernel says.
Result<Cloned> clone_into(const Walls& walls, bool sibling);

/// In the child: one user and one group of its own stand for those that the parent had, and no user namespace can be
/// made below. Call it before anything else in a new user namespace.
Result<void> map_ids(uid_t outside_user, gid_t outside_group);

/// In a network namespace: brings the loopback up and listens at the door's place. The socket is for the server.
Result<FileDescriptor> open_door();

/// In a uts namespace: the box does not tell the host's name.
Result<void> hide_host_name();

}  // namespace rushes::box::detail
