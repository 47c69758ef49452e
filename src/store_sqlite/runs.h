#pragma once
#include "sqlite/connection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace rushes::store_sqlite {

/// How many entries of a list a row holds: their row is a quarter of a page.
inline constexpr std::size_t kRun = 40;
/// How many entries a transaction lists: half a millisecond of the writer's time. Where a transaction adds more than
/// that, the next lists as many.
inline constexpr std::size_t kStep = 500;

/// Whether the table that `question` asks has the row. Throws sqlite::Failure.
inline bool has_row(sqlite::Connection& database, std::string_view question, std::int64_t number) {
  auto& row = database.statement(question).bind(number);
  const bool is_there = row.next();
  row.reset();
  return is_there;
}

/// Puts an entry into a sorted run, unless one of its key is there, and has `write(begin, end)` write what changed: the
/// run, or its two halves where it has become too long. `before` compares keys.
template <class Entry, class Before, class Write>
void put_into_run(std::vector<Entry>& run, const Entry& entry, const Before& before, const Write& write) {
  const auto at = std::lower_bound(run.begin(), run.end(), entry, before);
  if (at != run.end() && !before(entry, *at)) return;
  run.insert(at, entry);
  if (run.size() <= kRun) return write(run.begin(), run.end());
  const auto middle = run.begin() + static_cast<std::ptrdiff_t>(run.size() / 2);
  write(run.begin(), middle);
  write(middle, run.end());
}

}  // namespace rushes::store_sqlite
