#include "store_sqlite/unfinished_list.h"

#include "store_sqlite/transaction.h"

#include <algorithm>

namespace rushes::store_sqlite {

void UnfinishedList::load(sqlite::Connection& database) {
  auto& row = database.statement("SELECT value FROM counters WHERE name = 'unfinished_listed'");
  row.next();
  upto_ = row.integer(0);
  row.reset();
  newer_.clear();
  auto& rows = database.statement("SELECT no FROM jobs WHERE no > ? AND state < 2 ORDER BY no").bind(upto_);
  while (rows.next()) set(rows.integer(0), true);
}

void UnfinishedList::set(std::int64_t number, bool unfinished) {
  if (newer_.empty() || newer_.back().number < number) {
    newer_.push_back({number, unfinished});
    return;
  }
  const auto before = [](const Newer& job, std::int64_t than) { return job.number < than; };
  const auto at = std::lower_bound(newer_.begin(), newer_.end(), number, before);
  if (at->number == number) {
    at->unfinished = unfinished;
  } else {
    newer_.insert(at, {number, unfinished});
  }
}

void UnfinishedList::step(Transaction& transaction) {
  const auto known = static_cast<std::int64_t>(newer_.size());
  if (known < 2 * lag_) return;
  const auto due = newer_.begin() + static_cast<std::ptrdiff_t>(known - lag_);
  for (auto job = newer_.begin(); job != due; ++job) {
    upto_ = job->number;
    if (job->unfinished) transaction.list_unfinished(upto_);
  }
  newer_.erase(newer_.begin(), due);
  transaction.without_staged().run("UPDATE counters SET value = ? WHERE name = 'unfinished_listed'", upto_);
}

void UnfinishedList::ended(Transaction& transaction, std::int64_t number) {
  if (number > upto_) {
    set(number, false);
  } else {
    transaction.unlist_ended(number);
  }
}

void UnfinishedList::begun_anew(Transaction& transaction, std::int64_t number) {
  if (number > upto_) {
    set(number, true);
  } else {
    // Behind what is staged: it may have ended in the same transaction.
    transaction.database().run("INSERT OR IGNORE INTO unfinished_jobs VALUES (?)", number);
  }
}

}  // namespace rushes::store_sqlite
