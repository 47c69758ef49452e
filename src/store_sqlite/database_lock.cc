#include "store_sqlite/database_lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace rushes::store_sqlite {

Result<FileDescriptor> lock_out_others(const std::filesystem::path& database) {
  auto path = database;
  path += ".lock";
  FileDescriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return Error(Errc::unavailable, system_error("cannot open", path).what());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(Errc::conflict, "the database " + database.string() + " is in use by another server");
  }
  return lock;
}

Result<void> make_private(const std::filesystem::path& database) {
  const FileDescriptor made(::open(database.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made) return Error(Errc::unavailable, system_error("cannot open", database).what());
  return {};
}

}  // namespace rushes::store_sqlite
