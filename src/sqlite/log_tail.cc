#include "sqlite/log_tail.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

namespace rushes::sqlite {

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

void LogTail::forget_from(sqlite3_int64 offset) {
  while (!kept_.empty() && kept_.back().offset >= offset) kept_.pop_back();
  if (!kept_.empty() && kept_.back().end() > offset) {
    kept_.back().bytes.resize(static_cast<std::size_t>(offset - kept_.back().offset));
  }
  keeps_ = !kept_.empty();
}

int LogTail::write(sqlite3_file* file, std::vector<char>& bytes, sqlite3_int64 offset, bool keep) {
  // Under one lock, so that a sync that fails finds each piece either not written yet or kept.
  const std::lock_guard lock(mutex_);
  forget_from(offset);
  const int code = file->pMethods->xWrite(file, bytes.data(), static_cast<int>(bytes.size()), offset);
  if (code != SQLITE_OK || !keep) return code;
  kept_.push_back({++last_number_, offset, std::move(bytes)});
  keeps_ = true;
  return SQLITE_OK;
}

int LogTail::truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(mutex_);
  forget_from(size);
  return file->pMethods->xTruncate(file, size);
}

int LogTail::read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (!keeps_) return file->pMethods->xRead(file, bytes, size, offset);
  const std::lock_guard lock(mutex_);
  const auto end = offset + size;
  auto missing = end - offset;
  const int code = file->pMethods->xRead(file, bytes, size, offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  auto piece = std::partition_point(kept_.begin(), kept_.end(), [&](const Piece& one) { return one.end() <= offset; });
  for (; piece != kept_.end() && piece->offset < end; ++piece) {
    const auto from = std::max(offset, piece->offset);
    const auto count = std::min(end, piece->end()) - from;
    std::memcpy(static_cast<char*>(bytes) + (from - offset), piece->bytes.data() + (from - piece->offset),
                static_cast<std::size_t>(count));
    missing -= count;
  }
  return missing == 0 ? SQLITE_OK : code;
}

int LogTail::write_again(sqlite3_file* file) {
  for (const auto& piece : kept_) {
    const int code =
        file->pMethods->xWrite(file, piece.bytes.data(), static_cast<int>(piece.bytes.size()), piece.offset);
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
  if (code == SQLITE_OK) {
    while (!kept_.empty() && kept_.front().number <= upto) kept_.pop_front();
    keeps_ = !kept_.empty();
  }
  return code;
}

}  // namespace rushes::sqlite
