#include "store_sqlite/unfinished_list.h"

#include "store_sqlite/transaction.h"

namespace rushes::store_sqlite {

void UnfinishedList::load(sqlite::Connection& database) {
  auto& row = database.statement("SELECT value FROM counters WHERE name = 'unfinished_listed'");
  row.next();
  upto_ = row.integer(0);
  row.reset();
}

void UnfinishedList::step(sqlite::Connection& database, std::int64_t last) {
  if (last - upto_ < 2 * lag_) return;
  const auto upto = last - lag_;
  // A third of what the view `jobs` would take, which looks for the state of each.
  database.run(
      "INSERT OR IGNORE INTO unfinished_jobs SELECT no FROM submitted_jobs WHERE no > ?1 AND no <= ?2"
      " AND no NOT IN (SELECT no FROM job_states WHERE no > ?1 AND no <= ?2 AND state > 1)",
      upto_, upto);
  database.run("UPDATE counters SET value = ? WHERE name = 'unfinished_listed'", upto);
  upto_ = upto;
}

void UnfinishedList::ended(Transaction& transaction, std::int64_t number) const {
  if (number <= upto_) transaction.unlist_ended(number);
}

void UnfinishedList::begun_anew(sqlite::Connection& database, std::int64_t number) {
  if (number <= upto_) database.run("INSERT OR IGNORE INTO unfinished_jobs VALUES (?)", number);
}

}  // namespace rushes::store_sqlite
