#pragma once
#include <string>

namespace rushes::sqlite {

/// A descriptor of a database's file, to have the system begin to write out what was written there, without waiting.
///
/// SQLite locks a file with locks of the process, which are gone once any descriptor of it is closed. So all handles of
/// a database share one, that is made before the first of them is opened and closed after the last: an object of this
/// is made before its handle is opened, and outlives it.
///
/// Threads: any.
class WriteOut {
 public:
  explicit WriteOut(const char* path);
  ~WriteOut();
  WriteOut(const WriteOut&) = delete;
  WriteOut& operator=(const WriteOut&) = delete;

  /// What goes wrong is told by the next sync of the database.
  void start() const noexcept;

 private:
  const std::string path_;
  int descriptor_ = -1;
};

}  // namespace rushes::sqlite
