#include "media/source.h"

#include <fcntl.h>

namespace rushes::media {

Source Source::of_descriptor(int fd) {
  Source source("descriptor " + std::to_string(fd));
  source.fd_ = fd;
  return source;
}

Result<FileDescriptor> Source::open() const {
  // Without O_NONBLOCK a pipe in the place of the file would block the open.
  FileDescriptor file(fd_ >= 0 ? ::fcntl(fd_, F_DUPFD_CLOEXEC, 0)
                               : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return system_error("open", path_);
  return file;
}

}  // namespace rushes::media
