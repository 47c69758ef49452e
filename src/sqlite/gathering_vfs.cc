#include "sqlite/gathering_vfs.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace rushes::sqlite {
namespace {

// Gathered. SQLite takes what is 128 KiB or more for less.
constexpr std::size_t kMost = 120 << 10;

/// An open file: SQLite's part and ours. That of the VFS below is on the heap, since it is not known before how large.
struct GatheringFile {
  sqlite3_file base{};
  sqlite3_vfs* vfs = nullptr;
  std::unique_ptr<std::byte[]> memory;
  sqlite3_file* below = nullptr;
  std::vector<char> gathered;
  sqlite3_int64 offset = 0;  // of its first byte
  int failed = SQLITE_OK;    // the last write, and nobody was told yet
  int failed_errno = 0;

  static GatheringFile& of(sqlite3_file* file) { return *reinterpret_cast<GatheringFile*>(file); }
  const sqlite3_io_methods& methods() const { return *below->pMethods; }

  void write_out() {
    if (gathered.empty()) return;
    const int code = methods().xWrite(below, gathered.data(), static_cast<int>(gathered.size()), offset);
    gathered.clear();
    if (code == SQLITE_OK || failed != SQLITE_OK) return;
    failed = code;
    failed_errno = errno;
  }

  int tell_failure() {
    const int code = failed;
    if (code != SQLITE_OK) errno = failed_errno;
    failed = SQLITE_OK;
    return code;
  }

  int settle() {
    write_out();
    return tell_failure();
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    const auto length = static_cast<std::size_t>(size);
    const bool follows = offset == self.offset + static_cast<sqlite3_int64>(self.gathered.size());
    if (!follows || self.gathered.size() + length > kMost) self.write_out();
    if (const int code = self.tell_failure(); code != SQLITE_OK) return code;
    if (self.gathered.empty()) self.offset = offset;
    const auto* from = static_cast<const char*>(bytes);
    try {
      self.gathered.insert(self.gathered.end(), from, from + length);
    } catch (const std::bad_alloc&) {
      const int code = self.settle();
      return code == SQLITE_OK ? self.methods().xWrite(self.below, bytes, size, offset) : code;
    }
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    auto& self = of(file);
    const int settled = self.settle();
    const int closed = self.below->pMethods == nullptr ? SQLITE_OK : self.methods().xClose(self.below);
    self.~GatheringFile();
    return settled == SQLITE_OK ? closed : settled;
  }

  template <auto Method, class... Arguments>
  static int after_writes(sqlite3_file* file, Arguments... arguments) {
    auto& self = of(file);
    if (const int code = self.settle(); code != SQLITE_OK) return code;
    return (self.methods().*Method)(self.below, arguments...);
  }

  /// For what cannot fail, or must not: the next that can tells it.
  template <auto Method, class... Arguments>
  static int besides(sqlite3_file* file, Arguments... arguments) {
    auto& self = of(file);
    self.write_out();
    return (self.methods().*Method)(self.below, arguments...);
  }

  static void barrier(sqlite3_file* file) {
    of(file).write_out();
    of(file).methods().xShmBarrier(of(file).below);
  }

  static const sqlite3_io_methods& gathering_methods() {
    using M = sqlite3_io_methods;
    static const M all = [] {
      M methods{};
      methods.iVersion = 3;
      methods.xClose = close;
      methods.xRead = after_writes<&M::xRead, void*, int, sqlite3_int64>;
      methods.xWrite = write;
      methods.xTruncate = after_writes<&M::xTruncate, sqlite3_int64>;
      methods.xSync = after_writes<&M::xSync, int>;
      methods.xFileSize = after_writes<&M::xFileSize, sqlite3_int64*>;
      methods.xLock = after_writes<&M::xLock, int>;
      methods.xUnlock = besides<&M::xUnlock, int>;
      methods.xCheckReservedLock = besides<&M::xCheckReservedLock, int*>;
      methods.xFileControl = besides<&M::xFileControl, int, void*>;
      methods.xSectorSize = besides<&M::xSectorSize>;
      methods.xDeviceCharacteristics = besides<&M::xDeviceCharacteristics>;
      methods.xShmMap = besides<&M::xShmMap, int, int, int, void volatile**>;
      methods.xShmLock = besides<&M::xShmLock, int, int, int>;
      methods.xShmBarrier = barrier;
      methods.xShmUnmap = besides<&M::xShmUnmap, int>;
      methods.xFetch = after_writes<&M::xFetch, sqlite3_int64, int, void**>;
      methods.xUnfetch = besides<&M::xUnfetch, sqlite3_int64, void*>;
      return methods;
    }();
    return all;
  }
};

/// Over whatever is the default at that moment.
int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* opened = new (file) GatheringFile;
  opened->vfs = sqlite3_vfs_find(nullptr);
  opened->memory.reset(new (std::nothrow) std::byte[static_cast<std::size_t>(opened->vfs->szOsFile)]());
  opened->below = reinterpret_cast<sqlite3_file*>(opened->memory.get());
  const int failed =
      opened->below == nullptr ? SQLITE_NOMEM : opened->vfs->xOpen(opened->vfs, path, opened->below, flags, out_flags);
  if (failed != SQLITE_OK && (opened->below == nullptr || opened->below->pMethods == nullptr)) {
    opened->~GatheringFile();  // SQLite closes nothing
    file->pMethods = nullptr;
    return failed;
  }
  opened->base.pMethods = &GatheringFile::gathering_methods();
  return failed;
}

struct Registered {
  Registered() {
    const auto* below = sqlite3_vfs_find(nullptr);
    vfs = *below;
    vfs.pNext = nullptr;
    vfs.zName = "gathering";
    vfs.szOsFile = sizeof(GatheringFile);
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
  }
  sqlite3_vfs vfs{};
};

}  // namespace

const char* gathering_vfs() {
  static const Registered kRegistered;
  return kRegistered.vfs.zName;
}

}  // namespace rushes::sqlite
