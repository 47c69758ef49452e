#include "sqlite/row_source.h"

#include <new>
#include <string>

namespace rushes::sqlite {
namespace {

/// What SQLite is told once for each table.
struct Offer {
  std::string declaration;
  const RowSource& rows;
};

struct Table : sqlite3_vtab {
  explicit Table(const RowSource& table_rows) : sqlite3_vtab(), rows(table_rows) {}
  const RowSource& rows;
};

struct Cursor : sqlite3_vtab_cursor {
  Cursor() : sqlite3_vtab_cursor() {}
  const RowSource& rows() const { return static_cast<const Table*>(pVtab)->rows; }
  std::size_t row = 0;
};

int connect(sqlite3* database, void* offered, int, const char* const*, sqlite3_vtab** table, char**) {
  const auto& offer = *static_cast<const Offer*>(offered);
  const int failed = sqlite3_declare_vtab(database, offer.declaration.c_str());
  if (failed != SQLITE_OK) return failed;
  *table = new (std::nothrow) Table(offer.rows);
  return *table == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info* plan) {
  plan->estimatedCost = 100;  // there is one way
  return SQLITE_OK;
}

int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = new (std::nothrow) Cursor;
  return *cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  static_cast<Cursor*>(cursor)->row = 0;
  return SQLITE_OK;
}

int next(sqlite3_vtab_cursor* cursor) {
  ++static_cast<Cursor*>(cursor)->row;
  return SQLITE_OK;
}

int is_behind_the_last(sqlite3_vtab_cursor* cursor) {
  const auto& at = *static_cast<Cursor*>(cursor);
  return at.row >= at.rows().size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const auto& at = *static_cast<Cursor*>(cursor);
  at.rows().give(at.row, column, Cell(context));
  return SQLITE_OK;
}

int row_number(sqlite3_vtab_cursor* cursor, sqlite3_int64* number) {
  *number = static_cast<sqlite3_int64>(static_cast<Cursor*>(cursor)->row);
  return SQLITE_OK;
}

const sqlite3_module* module() {
  static const sqlite3_module kModule = [] {
    sqlite3_module methods{};  // without xCreate: it is there by its name alone
    methods.xConnect = connect;
    methods.xDisconnect = disconnect;
    methods.xBestIndex = best_index;
    methods.xOpen = open;
    methods.xClose = close;
    methods.xFilter = filter;
    methods.xNext = next;
    methods.xEof = is_behind_the_last;
    methods.xColumn = column;
    methods.xRowid = row_number;
    return methods;
  }();
  return &kModule;
}

}  // namespace

int offer_rows(sqlite3* database, const char* table, const char* columns, const RowSource& rows) {
  auto* offer = new Offer{"CREATE TABLE offered (" + std::string(columns) + ")", rows};
  return sqlite3_create_module_v2(database, table, module(), offer,
                                  [](void* gone) { delete static_cast<Offer*>(gone); });
}

}  // namespace rushes::sqlite
