#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace rushes::sqlite {

/// The end of one write-ahead log (WAL) that commits have left to a later sync: what was written to it, kept until it
/// is durable. A sync that fails takes with it whatever was written since the last good one, and SQLite, for which
/// these commits are done, would never write it again; so it is written from here before the log is synced anew, and
/// read from here meanwhile.
///
/// It has at most what was committed since the last sync began, and the transaction under way.
///
/// All codes are SQLite's. `file` is a handle of the log, of the VFS below; each connection has its own.
/// Threads: any.
class LogTail {
 public:
  /// That of the log at `path`, shared by the connections of this process.
  static std::shared_ptr<LogTail> of(const char* path);
  LogTail();

  /// Writes `bytes`, and keeps them where the commit leaves its sync to later. Leaves none, and the room for others.
  int write(sqlite3_file* file, std::vector<char>& bytes, sqlite3_int64 offset, bool keep);
  int truncate(sqlite3_file* file, sqlite3_int64 size);
  int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset);
  int size(sqlite3_file* file, sqlite3_int64* size);
  /// Syncs all that any connection has written before. Where it fails, what is kept stays kept.
  int sync(sqlite3_file* file, int flags);

 private:
  struct Piece {
    std::uint64_t number = 0;  // in the order in which they were written
    std::vector<char> bytes;
  };
  using Pieces = std::map<sqlite3_int64, Piece>;  // by their offsets, none over another

  static sqlite3_int64 end_of(const Pieces::value_type& piece) {
    return piece.first + static_cast<sqlite3_int64>(piece.second.bytes.size());
  }
  // What follows is called under mutex_.
  /// The first piece that ends behind `offset`.
  Pieces::iterator first_behind(sqlite3_int64 offset);
  /// Forgets what is kept of the bytes from `from` to before `to`.
  void forget(sqlite3_int64 from, sqlite3_int64 to);
  int write_again(sqlite3_file* file);
  /// Forgets what was written up to this one, and leaves the room to what comes.
  void let_go(std::uint64_t upto);

  std::mutex syncing_;  // held by the one that syncs; taken before mutex_
  std::mutex mutex_;    // guards what follows
  Pieces kept_;
  std::vector<std::vector<char>> rooms_;  // of pieces that are gone
  std::uint64_t last_number_ = 0;         // of a piece
  bool maybe_lost_ = false;               // what is kept: a sync has failed
  std::atomic<bool> keeps_{false};        // anything; changed under mutex_
};

}  // namespace rushes::sqlite
