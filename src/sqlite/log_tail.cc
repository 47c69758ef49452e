#include "sqlite/log_tail.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

namespace rushes::sqlite {
namespace {

constexpr auto kEndless = std::numeric_limits<sqlite3_int64>::max();
// As many as wait for a sync where commits come one after the other.
constexpr std::size_t kMostRooms = 6;

}  // namespace

LogTail::LogTail() { rooms_.reserve(kMostRooms); }

std::shared_ptr<LogTail> LogTail::of(const char* path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<LogTail>> tails;
  const std::lock_guard lock(mutex);
  std::erase_if(tails, [](const auto& entry) { return entry.second.expired(); });
  auto& known = tails[path];
  auto tail = known.lock();
  if (!tail) known = tail = std::make_shared<LogTail>();
  return tail;
}

LogTail::Pieces::iterator LogTail::first_behind(sqlite3_int64 offset) {
  const auto next = kept_.upper_bound(offset);
  if (next == kept_.begin()) return next;
  const auto before = std::prev(next);
  return end_of(*before) > offset ? before : next;
}

void LogTail::forget(sqlite3_int64 from, sqlite3_int64 to) {
  for (auto piece = first_behind(from); piece != kept_.end() && piece->first < to;) {
    auto& [number, bytes] = piece->second;
    if (end_of(*piece) > to) {
      std::vector<char> rest(bytes.begin() + static_cast<std::ptrdiff_t>(to - piece->first), bytes.end());
      kept_.emplace(to, Piece{number, std::move(rest)});
    }
    if (piece->first < from) {
      bytes.resize(static_cast<std::size_t>(from - piece->first));
      ++piece;
    } else {
      piece = kept_.erase(piece);
    }
  }
  keeps_ = !kept_.empty();
}

int LogTail::write(sqlite3_file* file, std::vector<char>& bytes, sqlite3_int64 offset, bool keep) {
  // Under one lock, so that a sync that fails finds each piece either not written yet or kept.
  const std::lock_guard lock(mutex_);
  try {
    // With its head the log begins anew: the database has what was in the old one, synced.
    const auto end = offset == 0 ? kEndless : offset + static_cast<sqlite3_int64>(bytes.size());
    // But one page of a transaction may be written over while those behind it stay: it had left the cache twice.
    forget(offset, end);
    const int code = file->pMethods->xWrite(file, bytes.data(), static_cast<int>(bytes.size()), offset);
    if (code != SQLITE_OK) return code;
    if (keep) {
      std::vector<char> room;
      if (!rooms_.empty()) {
        room = std::move(rooms_.back());
        rooms_.pop_back();
      }
      kept_.emplace(offset, Piece{++last_number_, std::move(bytes)});
      keeps_ = true;
      bytes = std::move(room);
    }
    bytes.clear();
    return SQLITE_OK;
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
}

int LogTail::truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(mutex_);
  forget(size, kEndless);
  return file->pMethods->xTruncate(file, size);
}

int LogTail::read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (!keeps_) return file->pMethods->xRead(file, bytes, size, offset);
  const std::lock_guard lock(mutex_);
  const int code = file->pMethods->xRead(file, bytes, size, offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const auto end = offset + size;
  auto upto = end;  // all before it is there
  if (code == SQLITE_IOERR_SHORT_READ) {
    if (const int failed = file->pMethods->xFileSize(file, &upto); failed != SQLITE_OK) return failed;
    upto = std::max(upto, offset);
  }
  for (auto piece = first_behind(offset); piece != kept_.end() && piece->first < end; ++piece) {
    const auto from = std::max(offset, piece->first);
    const auto to = std::min(end, end_of(*piece));
    std::memcpy(static_cast<char*>(bytes) + (from - offset), piece->second.bytes.data() + (from - piece->first),
                static_cast<std::size_t>(to - from));
    if (from <= upto) upto = std::max(upto, to);
  }
  return upto >= end ? SQLITE_OK : code;
}

int LogTail::size(sqlite3_file* file, sqlite3_int64* size) {
  const std::lock_guard lock(mutex_);
  const int code = file->pMethods->xFileSize(file, size);
  if (code == SQLITE_OK && !kept_.empty()) *size = std::max(*size, end_of(*kept_.rbegin()));
  return code;
}

int LogTail::write_again(sqlite3_file* file) {
  for (const auto& [offset, piece] : kept_) {
    const int code = file->pMethods->xWrite(file, piece.bytes.data(), static_cast<int>(piece.bytes.size()), offset);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int LogTail::sync(sqlite3_file* file, int flags) {
  const std::lock_guard syncing(syncing_);
  std::uint64_t upto = 0;
  {
    const std::lock_guard lock(mutex_);
    if (maybe_lost_) {
      if (const int code = write_again(file); code != SQLITE_OK) return code;
    }
    upto = last_number_;
  }
  const int code = file->pMethods->xSync(file, flags);
  const std::lock_guard lock(mutex_);
  maybe_lost_ = code != SQLITE_OK;
  if (code == SQLITE_OK) let_go(upto);
  return code;
}

void LogTail::let_go(std::uint64_t upto) {
  for (auto piece = kept_.begin(); piece != kept_.end();) {
    auto& [number, bytes] = piece->second;
    if (number > upto) {
      ++piece;
      continue;
    }
    if (rooms_.size() < kMostRooms) rooms_.push_back(std::move(bytes));
    piece = kept_.erase(piece);
  }
  keeps_ = !kept_.empty();
}

}  // namespace rushes::sqlite
