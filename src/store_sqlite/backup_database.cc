#include "base/file.h"
#include "sqlite/connection.h"
#include "store_sqlite/database_error.h"
#include "store_sqlite/database_lock.h"
#include "store_sqlite/maintenance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace rushes::store_sqlite {
namespace fs = std::filesystem;
namespace {

constexpr int kPagesAtOnce = 1'000;

/// A file that is gone with it, and all that SQLite makes beside it, unless it was put into its place.
class Partial {
 public:
  explicit Partial(fs::path path) : path_(std::move(path)) { remove(); }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;
  ~Partial() { remove(); }
  const fs::path& path() const { return path_; }

  Result<void> put(const fs::path& target) const {
    {
      const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
      if (!file || ::fsync(file.get()) != 0) return system_error("cannot sync", path_);
    }
    if (::rename(path_.c_str(), target.c_str()) != 0) return system_error("cannot rename to", target);
    const auto folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
    const FileDescriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) return system_error("cannot sync", folder);
    return {};
  }

 private:
  void remove() const {
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::error_code ignored;
      fs::remove(path_.string() + suffix, ignored);
    }
  }
  const fs::path path_;
};

void copy(sqlite::Connection& from, sqlite::Connection& to, const Progress& progress) {
  // Without an open read transaction each write of the server's would have the copy begin again.
  from.execute("BEGIN");
  auto& held = from.statement("SELECT count(*) FROM event_log");
  held.next();
  const std::unique_ptr<sqlite3_backup, decltype(&sqlite3_backup_finish)> backup(
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main"), &sqlite3_backup_finish);
  if (!backup) throw sqlite::Failure(sqlite3_errcode(to.handle()), sqlite3_errmsg(to.handle()));
  for (;;) {
    const int code = sqlite3_backup_step(backup.get(), kPagesAtOnce);
    const auto pages = sqlite3_backup_pagecount(backup.get());
    progress(pages - sqlite3_backup_remaining(backup.get()), pages);
    if (code == SQLITE_DONE) break;
    if (code != SQLITE_OK) throw sqlite::Failure(code, std::string("cannot copy: ") + sqlite3_errstr(code));
  }
  held.reset();
  from.execute("COMMIT");
}

std::int64_t size_of(const fs::path& file) {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return failed ? 0 : static_cast<std::int64_t>(size);
}

std::int64_t single(sqlite::Connection& database, std::string_view sql) {
  auto& row = database.statement(sql);
  row.next();
  const auto value = row.integer(0);
  row.reset();
  return value;
}

/// Bytes that a copy without gaps will have.
std::int64_t compact_size(sqlite::Connection& database) {
  const auto pages = single(database, "PRAGMA page_count") - single(database, "PRAGMA freelist_count");
  return pages * single(database, "PRAGMA page_size");
}

struct Watch {
  const Progress& progress;
  fs::path file;
  std::int64_t of = 0;

  static int look(void* self) {
    const auto& watch = *static_cast<Watch*>(self);
    watch.progress(std::min(size_of(watch.file), watch.of), watch.of);
    return 0;
  }
};

}  // namespace

Result<BackupReport> backup_database(const fs::path& database, const fs::path& target, bool replace,
                                     const Progress& progress) {
  std::error_code failed;
  if (fs::equivalent(database, target, failed)) {
    return Error(Errc::conflict, target.string() + " is the database itself; name another file");
  }
  if (!replace && fs::exists(fs::symlink_status(target, failed))) {
    return Error(Errc::conflict, target.string() + " exists; name another file, or say --force to replace it");
  }
  try {
    const Partial partial(target.string() + ".partial");
    if (auto made = make_private(partial.path()); !made) return made.error();
    {
      sqlite::Connection from(database, sqlite::Access::read_only);
      if (auto newer = newer_version(from, database)) return *newer;
      sqlite::Connection to(partial.path(), sqlite::Access::read_write);
      copy(from, to, progress);
    }
    {
      sqlite::Connection made(partial.path(), sqlite::Access::read_write);
      made.execute("UPDATE event_log SET identity = lower(hex(randomblob(32)))");
      made.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    const Progress silent = [](std::int64_t, std::int64_t) {};
    auto checked = check_database(partial.path(), silent);
    if (!checked) return checked.error();
    if (!checked->problems.empty()) {
      return Error(Errc::internal, "the copy is not sound, and was removed: " + checked->problems.front());
    }
    const auto bytes = size_of(partial.path());
    if (auto put = partial.put(target); !put) return put.error();
    return BackupReport{bytes, std::move(*checked)};
  } catch (const sqlite::Failure& failure) {
    return database_error(database, failure);
  }
}

Result<VacuumReport> vacuum_database(const fs::path& database, const Progress& progress) {
  const auto lock = lock_out_others(database);
  if (!lock && lock.error().code() == Errc::conflict) {
    return Error(Errc::conflict, "the database " + database.string() + " is in use by a server; stop it first");
  }
  if (!lock) return lock.error();
  try {
    const Partial partial(database.string() + ".vacuum");
    VacuumReport report;
    {
      sqlite::Connection connection(database, sqlite::Access::read_write);
      if (auto newer = newer_version(connection, database)) return *newer;
      if (single(connection, "PRAGMA wal_checkpoint(TRUNCATE)") != 0) {
        return Error(Errc::conflict,
                     "the database " + database.string() + " is in use by another program; end it first");
      }
      report.before = size_of(database);
      Watch watch{progress, partial.path(), compact_size(connection)};
      sqlite3_progress_handler(connection.handle(), 10'000, Watch::look, &watch);
      connection.run("VACUUM INTO ?", partial.path().string());
      sqlite3_progress_handler(connection.handle(), 0, nullptr, nullptr);
      progress(watch.of, watch.of);
    }
    { const sqlite::Connection in_wal_mode(partial.path(), sqlite::Access::read_write); }
    report.after = size_of(partial.path());
    if (::chmod(partial.path().c_str(), 0600) != 0) return system_error("cannot set the mode of", partial.path());
    // Nothing may be left beside it that SQLite would take for the new one's.
    for (const auto* suffix : {"-wal", "-shm"}) {
      std::error_code failed;
      if (fs::remove(database.string() + suffix, failed); failed) {
        return Error(Errc::unavailable, "cannot remove " + database.string() + suffix + ": " + failed.message());
      }
    }
    if (auto put = partial.put(database); !put) return put.error();
    return report;
  } catch (const sqlite::Failure& failure) {
    return database_error(database, failure);
  }
}

}  // namespace rushes::store_sqlite
