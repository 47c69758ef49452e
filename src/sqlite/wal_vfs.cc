#include "sqlite/wal_vfs.h"

#include "sqlite/log_tail.h"
#include "sqlite/write_out.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace rushes::sqlite {
namespace {

// Gathered. SQLite takes what is 128 KiB or more for less.
constexpr std::size_t kMost = 120 << 10;
// Where the log's index says how many of its frames are in the database (walformat.html, 2.2).
constexpr std::size_t kBackfilled = 96;
// Bytes of the log's head (walformat.html, 1.1).
constexpr sqlite3_int64 kHead = 32;

/// An open file: SQLite's part and ours. That of the VFS below is on the heap, since it is not known before how large.
struct WalFile {
  sqlite3_file base{};
  sqlite3_vfs* vfs = nullptr;
  std::unique_ptr<std::byte[]> memory;
  sqlite3_file* below = nullptr;
  std::vector<char> gathered;
  sqlite3_int64 offset = 0;        // of its first byte
  std::shared_ptr<LogTail> tail;   // of the log alone
  std::unique_ptr<WriteOut> out;   // of the database's file alone
  bool leaves_syncs = false;       // to sync_log
  bool head_written = false;       // since the last sync
  void volatile* index = nullptr;  // of the log, its first part; of the database's file alone

  static WalFile& of(sqlite3_file* file) { return *reinterpret_cast<WalFile*>(file); }
  const sqlite3_io_methods& methods() const { return *below->pMethods; }

  /// What cannot be written is kept, and tried again by what comes next: SQLite was told that it is there.
  int settle() {
    if (gathered.empty()) return SQLITE_OK;
    return tail->write(below, gathered, offset, leaves_syncs);
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    const auto length = static_cast<std::size_t>(size);
    const bool follows = offset == self.offset + static_cast<sqlite3_int64>(self.gathered.size());
    if (!follows || self.gathered.size() + length > kMost) {
      if (const int code = self.settle(); code != SQLITE_OK) return code;
    }
    if (self.gathered.empty()) self.offset = offset;
    if (offset < kHead) self.head_written = true;
    const auto* from = static_cast<const char*>(bytes);
    try {
      if (self.gathered.capacity() < kMost) self.gathered.reserve(kMost);
      self.gathered.insert(self.gathered.end(), from, from + length);
    } catch (const std::bad_alloc&) {
      return SQLITE_IOERR_NOMEM;
    }
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    // What lies before is read whether the rest can be written or not.
    if (offset + size > self.offset) {
      if (const int code = self.settle(); code != SQLITE_OK) return code;
    }
    return self.tail->read(self.below, bytes, size, offset);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = of(file);
    if (const int code = self.settle(); code != SQLITE_OK) return code;
    return self.tail->truncate(self.below, size);
  }

  static int size_of(sqlite3_file* file, sqlite3_int64* size) {
    auto& self = of(file);
    if (const int code = self.settle(); code != SQLITE_OK) return code;
    return self.tail->size(self.below, size);
  }

  /// Never left to later where the log began anew: its old frames behind a new head, or new ones behind the old, would
  /// be a log of their own.
  static int sync(sqlite3_file* file, int flags) {
    auto& self = of(file);
    if (const int code = self.settle(); code != SQLITE_OK) return code;
    if (self.leaves_syncs && !self.head_written) return SQLITE_OK;
    return self.sync_now(flags);
  }

  int sync_now(int flags) {
    const int code = tail->sync(below, flags);
    if (code == SQLITE_OK) head_written = false;
    return code;
  }

  static int close(sqlite3_file* file) {
    auto& self = of(file);
    const int settled = self.settle();
    const int closed = self.below->pMethods == nullptr ? SQLITE_OK : self.methods().xClose(self.below);
    self.~WalFile();
    return settled == SQLITE_OK ? closed : settled;
  }

  template <auto Method, class... Arguments>
  static int after_writes(sqlite3_file* file, Arguments... arguments) {
    auto& self = of(file);
    if (const int code = self.settle(); code != SQLITE_OK) return code;
    return (self.methods().*Method)(self.below, arguments...);
  }

  /// For what cannot fail, or must not.
  template <auto Method, class... Arguments>
  static int besides(sqlite3_file* file, Arguments... arguments) {
    auto& self = of(file);
    self.settle();
    return (self.methods().*Method)(self.below, arguments...);
  }

  /// What was copied to the database and not synced may be lost with a sync that failed, and no checkpoint would copy
  /// it again. That none of it was copied may be said at any time: one that is under way has a handle of its own, is
  /// told of the failure too, and does not end the log.
  static int sync_database(sqlite3_file* file, int flags) {
    auto& self = of(file);
    const int code = self.methods().xSync(self.below, flags);
    if (code != SQLITE_OK && self.index != nullptr) {
      *(static_cast<std::uint32_t volatile*>(self.index) + kBackfilled / sizeof(std::uint32_t)) = 0;
    }
    return code;
  }

  static int map_index(sqlite3_file* file, int region, int size, int extend, void volatile** mapped) {
    auto& self = of(file);
    const int code = self.methods().xShmMap(self.below, region, size, extend, mapped);
    if (region == 0) self.index = code == SQLITE_OK ? *mapped : nullptr;
    return code;
  }

  static int unmap_index(sqlite3_file* file, int remove) {
    of(file).index = nullptr;
    return of(file).methods().xShmUnmap(of(file).below, remove);
  }

  static void barrier(sqlite3_file* file) {
    of(file).settle();
    of(file).methods().xShmBarrier(of(file).below);
  }

  static int read_through(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    return of(file).methods().xRead(of(file).below, bytes, size, offset);
  }

  static int write_through(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return of(file).methods().xWrite(of(file).below, bytes, size, offset);
  }

  template <bool IsLog>
  static const sqlite3_io_methods& methods_of() {
    using M = sqlite3_io_methods;
    static const M all = [] {
      M methods{};
      methods.iVersion = 3;
      methods.xClose = close;
      methods.xRead = IsLog ? read : read_through;
      methods.xWrite = IsLog ? write : write_through;
      methods.xTruncate = IsLog ? truncate : after_writes<&M::xTruncate, sqlite3_int64>;
      methods.xSync = IsLog ? sync : sync_database;
      methods.xFileSize = IsLog ? size_of : after_writes<&M::xFileSize, sqlite3_int64*>;
      methods.xLock = after_writes<&M::xLock, int>;
      methods.xUnlock = besides<&M::xUnlock, int>;
      methods.xCheckReservedLock = besides<&M::xCheckReservedLock, int*>;
      methods.xFileControl = besides<&M::xFileControl, int, void*>;
      methods.xSectorSize = besides<&M::xSectorSize>;
      methods.xDeviceCharacteristics = besides<&M::xDeviceCharacteristics>;
      methods.xShmMap = map_index;
      methods.xShmLock = besides<&M::xShmLock, int, int, int>;
      methods.xShmBarrier = barrier;
      methods.xShmUnmap = unmap_index;
      methods.xFetch = after_writes<&M::xFetch, sqlite3_int64, int, void**>;
      methods.xUnfetch = besides<&M::xUnfetch, sqlite3_int64, void*>;
      return methods;
    }();
    return all;
  }
};

/// Over whatever is the default at that moment.
int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* opened = new (file) WalFile;
  opened->vfs = sqlite3_vfs_find(nullptr);
  opened->memory.reset(new (std::nothrow) std::byte[static_cast<std::size_t>(opened->vfs->szOsFile)]());
  opened->below = reinterpret_cast<sqlite3_file*>(opened->memory.get());
  if (path != nullptr && (flags & SQLITE_OPEN_MAIN_DB) != 0) opened->out = std::make_unique<WriteOut>(path);
  const int failed =
      opened->below == nullptr ? SQLITE_NOMEM : opened->vfs->xOpen(opened->vfs, path, opened->below, flags, out_flags);
  if (failed != SQLITE_OK && (opened->below == nullptr || opened->below->pMethods == nullptr)) {
    opened->~WalFile();  // SQLite closes nothing
    file->pMethods = nullptr;
    return failed;
  }
  const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
  if (is_log) opened->tail = LogTail::of(path);
  opened->base.pMethods = is_log ? &WalFile::methods_of<true>() : &WalFile::methods_of<false>();
  return failed;
}

/// The connection's handle of its log; nothing before it has used it.
WalFile* log_of(sqlite3* database) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, static_cast<void*>(&file));
  return file != nullptr && file->pMethods == &WalFile::methods_of<true>() ? &WalFile::of(file) : nullptr;
}

sqlite3_file* file_of(sqlite3* database) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file));
  return file;
}

struct Registered {
  Registered() {
    const auto* below = sqlite3_vfs_find(nullptr);
    vfs = *below;
    vfs.pNext = nullptr;
    vfs.zName = "rushes-wal";
    vfs.szOsFile = sizeof(WalFile);
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
  }
  sqlite3_vfs vfs{};
};

}  // namespace

bool leave_syncs(sqlite3* database, bool left) {
  auto* log = log_of(database);
  if (log != nullptr) log->leaves_syncs = left;
  return log != nullptr && left;
}

int sync_log(sqlite3* database) {
  auto* log = log_of(database);
  return log == nullptr ? SQLITE_ERROR : log->sync_now(SQLITE_SYNC_NORMAL);
}

void write_out_database(sqlite3* database) {
  auto* file = file_of(database);
  if (file != nullptr && file->pMethods == &WalFile::methods_of<false>()) WalFile::of(file).out->start();
}

int sync_database(sqlite3* database) {
  auto* file = file_of(database);
  return file == nullptr || file->pMethods == nullptr ? SQLITE_ERROR : file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

const char* wal_vfs() {
  static const Registered kRegistered;
  return kRegistered.vfs.zName;
}

}  // namespace rushes::sqlite
