#include "sqlite/testing/faulty_vfs.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

namespace rushes::sqlite {
namespace {

/// SQLite's code; errno as the system would leave it.
int code_of(DiskError error, DiskOperation operation) {
  if (error == DiskError::full) {
    errno = ENOSPC;
    if (operation == DiskOperation::write) return SQLITE_FULL;
  } else {
    errno = error == DiskError::read_only ? EROFS : EIO;
  }
  switch (operation) {
    case DiskOperation::write:
      return SQLITE_IOERR_WRITE;
    case DiskOperation::sync:
      return SQLITE_IOERR_FSYNC;
    case DiskOperation::truncate:
      break;
  }
  return SQLITE_IOERR_TRUNCATE;
}

struct Undo {
  sqlite3_int64 offset = 0;
  std::vector<char> before;     // fewer bytes than were written where the file ended there
  sqlite3_int64 file_size = 0;  // before
};

/// What was written to a file, by whatever handle, since the last good sync of any.
struct Unsynced {
  std::mutex mutex;  // guards what follows
  std::vector<Undo> writes;
  int lost = 0;  // how often they were; every handle is told once, as Linux does
};

}  // namespace

/// An open file: SQLite's part, ours, and behind it in the same memory that of the VFS below.
struct FaultyFile {
  sqlite3_file base{};
  sqlite3_file* below = nullptr;
  Faults* faults = nullptr;
  std::shared_ptr<Unsynced> unsynced;
  int told = 0;  // of unsynced->lost
  bool is_log = false;

  static FaultyFile& of(sqlite3_file* file) { return *reinterpret_cast<FaultyFile*>(file); }
  const sqlite3_io_methods& methods() const { return *below->pMethods; }

  /// Before the write, which is done under the same lock.
  void remember(int size, sqlite3_int64 offset) {
    const auto lost = faults->lost();
    if (lost == Lost::nothing || (lost == Lost::logs && !is_log)) return unsynced->writes.clear();
    Undo undo;
    undo.offset = offset;
    methods().xFileSize(below, &undo.file_size);
    const auto there = std::min<sqlite3_int64>(size, std::max<sqlite3_int64>(undo.file_size - offset, 0));
    undo.before.resize(static_cast<std::size_t>(there));
    if (there > 0) methods().xRead(below, undo.before.data(), static_cast<int>(there), offset);
    unsynced->writes.push_back(std::move(undo));
  }

  void lose() {
    auto& writes = unsynced->writes;
    if (!writes.empty()) ++unsynced->lost;
    for (; !writes.empty(); writes.pop_back()) {
      const auto& undo = writes.back();
      if (!undo.before.empty()) {
        methods().xWrite(below, undo.before.data(), static_cast<int>(undo.before.size()), undo.offset);
      }
      methods().xTruncate(below, undo.file_size);
    }
  }

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    auto& self = of(file);
    const auto fault = self.faults->next(DiskOperation::write);
    if (fault && !fault->torn) return code_of(fault->error, DiskOperation::write);
    const std::lock_guard lock(self.unsynced->mutex);
    self.remember(size, offset);
    const int written = self.methods().xWrite(self.below, bytes, fault ? size / 2 : size, offset);
    return fault ? code_of(fault->error, DiskOperation::write) : written;
  }

  static int sync(sqlite3_file* file, int flags) {
    auto& self = of(file);
    const auto fault = self.is_log ? self.faults->next_log_sync() : self.faults->next(DiskOperation::sync);
    const std::lock_guard lock(self.unsynced->mutex);
    if (fault) {
      self.lose();
      self.told = self.unsynced->lost;
      return code_of(fault->error, DiskOperation::sync);
    }
    if (std::exchange(self.told, self.unsynced->lost) != self.unsynced->lost) {
      return code_of(DiskError::io, DiskOperation::sync);
    }
    self.unsynced->writes.clear();
    return self.methods().xSync(self.below, flags);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    auto& self = of(file);
    if (const auto fault = self.faults->next(DiskOperation::truncate)) {
      return code_of(fault->error, DiskOperation::truncate);
    }
    const std::lock_guard lock(self.unsynced->mutex);
    sqlite3_int64 before = 0;
    self.methods().xFileSize(self.below, &before);
    self.remember(static_cast<int>(std::max<sqlite3_int64>(before - size, 0)), size);
    return self.methods().xTruncate(self.below, size);
  }

  static int close(sqlite3_file* file) {
    auto& self = of(file);
    const int closed = self.below->pMethods != nullptr ? self.methods().xClose(self.below) : SQLITE_OK;
    self.~FaultyFile();
    return closed;
  }

  template <auto Method, class... Arguments>
  static int hand_down(sqlite3_file* file, Arguments... arguments) {
    auto& self = of(file);
    return (self.methods().*Method)(self.below, arguments...);
  }
  static void barrier(sqlite3_file* file) { of(file).methods().xShmBarrier(of(file).below); }

  static const sqlite3_io_methods& faulty_methods() {
    using M = sqlite3_io_methods;
    static const M all = [] {
      M methods{};
      methods.iVersion = 3;
      methods.xClose = close;
      methods.xRead = hand_down<&M::xRead, void*, int, sqlite3_int64>;
      methods.xWrite = write;
      methods.xTruncate = truncate;
      methods.xSync = sync;
      methods.xFileSize = hand_down<&M::xFileSize, sqlite3_int64*>;
      methods.xLock = hand_down<&M::xLock, int>;
      methods.xUnlock = hand_down<&M::xUnlock, int>;
      methods.xCheckReservedLock = hand_down<&M::xCheckReservedLock, int*>;
      methods.xFileControl = hand_down<&M::xFileControl, int, void*>;
      methods.xSectorSize = hand_down<&M::xSectorSize>;
      methods.xDeviceCharacteristics = hand_down<&M::xDeviceCharacteristics>;
      methods.xShmMap = hand_down<&M::xShmMap, int, int, int, void volatile**>;
      methods.xShmLock = hand_down<&M::xShmLock, int, int, int>;
      methods.xShmBarrier = barrier;
      methods.xShmUnmap = hand_down<&M::xShmUnmap, int>;
      methods.xFetch = hand_down<&M::xFetch, sqlite3_int64, int, void**>;
      methods.xUnfetch = hand_down<&M::xUnfetch, sqlite3_int64, void*>;
      return methods;
    }();
    return all;
  }
};

struct FaultyVfs::State {
  sqlite3_vfs vfs{};
  sqlite3_vfs* below = nullptr;
  Faults* faults = nullptr;
  std::string name;
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Unsynced>> unsynced;  // by path, under mutex

  std::shared_ptr<Unsynced> unsynced_of(const char* path) {
    if (path == nullptr) return std::make_shared<Unsynced>();  // a temporary file
    const std::lock_guard lock(mutex);
    auto& known = unsynced[path];
    auto shared = known.lock();
    if (!shared) known = shared = std::make_shared<Unsynced>();
    return shared;
  }

  static State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
    auto& state = of(vfs);
    auto* opened = new (file) FaultyFile;
    opened->below = reinterpret_cast<sqlite3_file*>(opened + 1);
    opened->below->pMethods = nullptr;
    opened->faults = state.faults;
    const int failed = state.below->xOpen(state.below, path, opened->below, flags, out_flags);
    if (failed != SQLITE_OK && opened->below->pMethods == nullptr) {  // nothing to close
      opened->~FaultyFile();
      file->pMethods = nullptr;
      return failed;
    }
    opened->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    opened->unsynced = state.unsynced_of(path);
    {
      const std::lock_guard lock(opened->unsynced->mutex);
      opened->told = opened->unsynced->lost;
    }
    opened->base.pMethods = &FaultyFile::faulty_methods();
    return failed;
  }
};

FaultyVfs::FaultyVfs(Faults& faults) : state_(std::make_unique<State>()) {
  state_->below = sqlite3_vfs_find(nullptr);
  state_->faults = &faults;
  state_->name = "faulty over " + std::string(state_->below->zName);
  state_->vfs = *state_->below;
  state_->vfs.pNext = nullptr;
  state_->vfs.zName = state_->name.c_str();
  state_->vfs.szOsFile += static_cast<int>(sizeof(FaultyFile));
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = State::open;
  if (sqlite3_vfs_register(&state_->vfs, 1) != SQLITE_OK) throw std::runtime_error("cannot register a VFS");
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->below, 1);
}

void FaultyVfs::copy_durable(const std::filesystem::path& file, const std::filesystem::path& target) const {
  const auto unsynced = state_->unsynced_of(file.c_str());
  const std::lock_guard lock(unsynced->mutex);
  std::ifstream in(file, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  for (auto undo = unsynced->writes.rbegin(); undo != unsynced->writes.rend(); ++undo) {
    const auto end = static_cast<std::size_t>(undo->offset) + undo->before.size();
    bytes.resize(std::max(bytes.size(), end));
    std::copy(undo->before.begin(), undo->before.end(), bytes.begin() + static_cast<std::ptrdiff_t>(undo->offset));
    bytes.resize(static_cast<std::size_t>(undo->file_size));
  }
  std::ofstream(target, std::ios::binary) << bytes;
}

void Faults::fail_nth(DiskOperation operation, int n, DiskError error, bool torn) {
  const std::lock_guard lock(mutex_);
  nth_ = Nth{operation, n, {error, torn}};
}

void Faults::fail_all(DiskError error, std::optional<DiskOperation> only) {
  const std::lock_guard lock(mutex_);
  all_ = error;
  only_ = only;
}

void Faults::fail_randomly(double probability, DiskError error, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  probability_ = probability;
  random_error_ = error;
  rng_ = SeededRng(seed);
}

void Faults::heal() {
  const std::lock_guard lock(mutex_);
  nth_.reset();
  all_.reset();
  probability_ = 0;
}

void Faults::lose_unsynced(Lost lost) {
  const std::lock_guard lock(mutex_);
  lost_ = lost;
}

void Faults::hold_log_syncs() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void Faults::let_log_syncs_go() {
  const std::lock_guard lock(mutex_);
  holding_ = false;
  held_changed_.notify_all();
}

void Faults::let_one_log_sync_go() {
  std::unique_lock lock(mutex_);
  ++let_go_;
  held_changed_.notify_all();
  held_changed_.wait(lock, [this] { return let_go_ == 0; });
}

void Faults::await_held_sync() {
  std::unique_lock lock(mutex_);
  held_changed_.wait(lock, [this] { return held_ > 0; });
}

bool Faults::is_holding_one() const {
  const std::lock_guard lock(mutex_);
  return held_ > 0;
}

std::optional<Faults::Fault> Faults::next_log_sync() {
  std::unique_lock lock(mutex_);
  if (!holding_) return judge(DiskOperation::sync);
  ++held_;
  held_changed_.notify_all();
  held_changed_.wait(lock, [this] { return !holding_ || let_go_ > 0; });
  const auto fault = judge(DiskOperation::sync);
  --held_;
  if (let_go_ > 0) --let_go_;
  held_changed_.notify_all();
  return fault;
}

std::int64_t Faults::count(DiskOperation operation) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(operation)];
}

std::int64_t Faults::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

Lost Faults::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::optional<Faults::Fault> Faults::next(DiskOperation operation) {
  const std::lock_guard lock(mutex_);
  return judge(operation);
}

std::optional<Faults::Fault> Faults::judge(DiskOperation operation) {
  ++counts_[static_cast<std::size_t>(operation)];
  std::optional<Fault> fault;
  if (all_ && only_.value_or(operation) == operation) {
    fault = Fault{*all_, false};
  } else if (nth_ && nth_->operation == operation && --nth_->left == 0) {
    fault = std::exchange(nth_, std::nullopt)->fault;
  } else if (probability_ > 0 && static_cast<double>(rng_.next_u64() >> 11U) * 0x1p-53 < probability_) {
    fault = Fault{random_error_, rng_.next_u64() % 2 == 0};
  }
  if (fault) ++failed_;
  return fault;
}

}  // namespace rushes::sqlite
