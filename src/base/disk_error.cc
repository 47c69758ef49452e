#include "base/disk_error.h"

#include <cerrno>

namespace rushes {

Error disk_error(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Error::for_user(Errc::unavailable, "DISK_FULL", "The server's disk is full; try again later.");
    case EROFS:
      return Error::for_user(Errc::unavailable, "DISK_READ_ONLY",
                             "The server's disk cannot be written at the moment; try again later.");
    default:
      return Error::for_user(Errc::unavailable, "DISK_FAILED", "The server's disk failed; try again later.");
  }
}

}  // namespace rushes
