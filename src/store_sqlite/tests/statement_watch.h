#pragma once
#include <sqlite3.h>

#include <functional>
#include <string_view>
#include <utility>

namespace rushes::store_sqlite {

/// Is told of each statement that readers begin, before it sees the database, on the reader's thread: what is told
/// can hold the reader there, or change what it finds.
///
/// Lifetime: made before the store that is watched, and outlives it. One at a time.
class StatementWatch {
 public:
  using Begun = std::function<void(std::string_view sql)>;

  explicit StatementWatch(Begun begun) {
    begun_ = std::move(begun);
    sqlite3_auto_extension(entry());
  }
  ~StatementWatch() { sqlite3_cancel_auto_extension(entry()); }
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

 private:
  // SQLite calls it as `watch`; the type that it asks for says less.
  static void (*entry())() { return reinterpret_cast<void (*)()>(&watch); }
  static int watch(sqlite3* opened, char**, const void*) {
    return sqlite3_trace_v2(opened, SQLITE_TRACE_STMT, &tell, opened);
  }
  static int tell(unsigned, void* opened, void* statement, void*) {
    if (sqlite3_db_readonly(static_cast<sqlite3*>(opened), "main") == 1) {
      begun_(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
    }
    return 0;
  }

  static inline Begun begun_;
};

}  // namespace rushes::store_sqlite
