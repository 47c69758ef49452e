#pragma once
#include "base/file.h"
#include "box/detail/syscall_filter.h"
#include "box/spec.h"

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace rushes::box {

/// What a child of the zygote enters its box with.
struct Entrance {
  BoxSpec spec;
  const detail::SyscallFilter* filter = nullptr;  // of the spec's profile
  uid_t user = 0;                                 // of the zygote
  gid_t group = 0;
  bool dedicated_user = false;             // nothing but boxes runs as that user, so its processes can be counted
  std::uint64_t zygote_address_space = 0;  // bytes; the limit of memory comes on top of them
  FileDescriptor channel;                  // to the server
  FileDescriptor output;                   // what becomes its standard output and error
  FileDescriptor scratch;                  // the folder on disk (O_PATH)
  std::vector<FileDescriptor> sources;     // what it may read, opened by the server
};

// Where a boxed process finds its descriptors, beside the standard three.
constexpr int kChannelFd = 3;
constexpr int kFirstSourceFd = 4;

/// Puts this process, which `clone_into` has just made, into its box: nothing of the host is left but what the
/// profile needs, and that cannot be taken back. The current directory is the scratch folder then.
///
/// Tells the server over the channel that it is ready, with two descriptors: the listening socket of the door (fetch
/// profile) and the scratch folder. The last wall, the system call filter, closes after that.
/// Order of the steps: as bubblewrap does them, each before what takes away the right to do it.
/// Errors: `unavailable`, naming the step; the process must end then.
Result<void> enter_box(Entrance entrance);

}  // namespace rushes::box
