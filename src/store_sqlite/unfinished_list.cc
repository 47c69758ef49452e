#include "store_sqlite/unfinished_list.h"

#include "store_sqlite/transaction.h"

namespace rushes::store_sqlite {

void UnfinishedList::load(sqlite::Connection& database) {
  auto& row = database.statement("SELECT value FROM counters WHERE name = 'unfinished_listed'");
  row.next();
  upto_ = row.integer(0);
  row.reset();
  newer_.clear();
  auto& rows = database.statement("SELECT no FROM jobs WHERE no > ? AND state < 2").bind(upto_);
  while (rows.next()) set(rows.integer(0), true);
}

void UnfinishedList::set(std::int64_t number, bool unfinished) {
  const auto at = static_cast<std::size_t>(number - upto_ - 1);
  if (at >= newer_.size()) newer_.resize(at + 1);
  newer_[at] = unfinished;
}

void UnfinishedList::step(Transaction& transaction) {
  const auto known = static_cast<std::int64_t>(newer_.size());
  if (known < 2 * lag_) return;
  const auto due = newer_.begin() + static_cast<std::ptrdiff_t>(known - lag_);
  for (auto unfinished = newer_.begin(); unfinished != due; ++unfinished) {
    ++upto_;
    if (*unfinished) transaction.list_unfinished(upto_);
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
