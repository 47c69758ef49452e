#include "store_sqlite/user_list.h"

#include <algorithm>

namespace rushes::store_sqlite {
namespace {

// A statement for each row would take twice the time.
#define RUSHES_FOUR(row) row ", " row ", " row ", " row
#define RUSHES_SIXTEEN(row) RUSHES_FOUR(row) ", " RUSHES_FOUR(row) ", " RUSHES_FOUR(row) ", " RUSHES_FOUR(row)

// Half a millisecond of the writer's time. Where a transaction adds more than that, the next lists as many.
constexpr std::size_t kStep = 500;

bool before(const ListEntry& left, const ListEntry& right) { return left.place < right.place; }

/// Whether it was not there yet.
bool put_in_order(std::vector<ListEntry>& entries, const ListEntry& entry) {
  if (entries.empty() || entries.back().place < entry.place) {
    entries.push_back(entry);
    return true;
  }
  const auto at = std::lower_bound(entries.begin(), entries.end(), entry, before);
  if (at->place == entry.place) return false;
  entries.insert(at, entry);
  return true;
}

}  // namespace

const UserList::Sql kJobList{"SELECT value FROM counters WHERE name = 'jobs_listed'",
                             "SELECT user_id, no, no FROM submitted_jobs WHERE no > ? ORDER BY no",
                             "SELECT 1 FROM submitted_jobs WHERE no = ?",
                             "SELECT no, no FROM user_jobs WHERE user_id = ? ORDER BY no DESC LIMIT 1",
                             "INSERT OR IGNORE INTO user_jobs VALUES (?1, ?3)",
                             "INSERT OR IGNORE INTO user_jobs VALUES " RUSHES_SIXTEEN("(?, ?)"),
                             false,
                             "UPDATE counters SET value = ? WHERE name = 'jobs_listed'"};
const UserList::Sql kEventList{"SELECT value FROM counters WHERE name = 'events_listed'",
                               "SELECT user_id, seq, id FROM events WHERE id > ? ORDER BY id",
                               "SELECT 1 FROM events WHERE id = ?",
                               "SELECT seq, id FROM user_events WHERE user_id = ? ORDER BY seq DESC LIMIT 1",
                               "INSERT OR IGNORE INTO user_events VALUES (?1, ?2, ?3)",
                               "INSERT OR IGNORE INTO user_events VALUES " RUSHES_SIXTEEN("(?, ?, ?)"),
                               true,
                               "UPDATE counters SET value = ? WHERE name = 'events_listed'"};
// One that was removed before it was listed never is.
const UserList::Sql kAnalysisList{"SELECT value FROM counters WHERE name = 'analyses_listed'",
                                  "SELECT user_id, no, no FROM analyses WHERE no > ? ORDER BY no",
                                  "SELECT 1 FROM analyses WHERE no = ?",
                                  "SELECT no, no FROM user_analyses WHERE user_id = ? ORDER BY no DESC LIMIT 1",
                                  "INSERT OR IGNORE INTO user_analyses SELECT ?1, no FROM analyses WHERE no = ?3",
                                  nullptr,
                                  false,
                                  "UPDATE counters SET value = ? WHERE name = 'analyses_listed'"};

UserList::UserList(const Sql& sql, sqlite::Connection& database, std::size_t batch) : sql_(sql), batch_(batch) {
  auto& listed = database.statement(sql_.listed);
  listed.next();
  done_ = covered_ = last_row_ = listed.integer(0);
  listed.reset();
  auto& rows = database.statement(sql_.rows).bind(covered_);
  while (rows.next()) added_.push_back({UserId(rows.text(0)), {rows.integer(1), rows.integer(2)}});
  committed();
  added_last_ = 0;
}

void UserList::add(sqlite::Connection& database, const UserId& user, ListEntry entry) {
  // It comes late: nobody would look for it behind the counter.
  if (entry.row <= covered_) database.run(sql_.insert, user.value(), entry.place, entry.row);
  added_.push_back({user, entry});
}

std::optional<ListEntry> UserList::last(sqlite::Connection& database, const UserId& user) const {
  const auto added = std::find_if(added_.rbegin(), added_.rend(), [&](const Added& one) { return one.user == user; });
  if (added != added_.rend()) return added->entry;
  if (const auto known = unlisted_.find(user); known != unlisted_.end()) return known->second.back();
  auto& row = database.statement(sql_.last).bind(user.value());
  if (!row.next()) return std::nullopt;
  const ListEntry last{row.integer(0), row.integer(1)};
  row.reset();
  return last;
}

void UserList::start() {
  listing_ = true;
  covered_ = last_row_;
  users_.clear();
  for (const auto& [user, entries] : unlisted_) users_.push_back(user);
  std::sort(users_.begin(), users_.end());
  next_ = 0;
}

void UserList::step(sqlite::Connection& database) {
  if (!listing_ && count_ < batch_) return;
  if (!listing_) start();
  list(database, std::max(kStep, added_last_));
}

bool UserList::hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto) {
  if (!upto) upto = last_row_;
  if (done_ >= *upto) return false;
  if (!listing_) start();
  if (listed_.empty()) list(database, kStep);
  return true;
}

void UserList::list(sqlite::Connection& database, std::size_t most) {
  listed_.clear();
  Due due;
  for (next_then_ = next_; next_then_ < users_.size() && most > 0;) {
    const auto& user = users_[next_then_];
    const auto& entries = unlisted_.at(user);
    Listed listed{user};
    while (listed.count < entries.size() && entries[listed.count].row <= covered_ && most > 0) {
      const auto& entry = entries[listed.count];
      // Those that came late are listed.
      if (entry.row > done_) due.emplace_back(&user, entry);
      ++listed.count;
      --most;
    }
    const bool all = listed.count == entries.size() || entries[listed.count].row > covered_;
    listed_.push_back(std::move(listed));
    if (!all) break;
    ++next_then_;
  }
  insert(database, due);
  done_then_ = next_then_ == users_.size();
  if (done_then_) database.run(sql_.set_done, covered_);
}

void UserList::insert(sqlite::Connection& database, const Due& due) const {
  std::size_t done = 0;
  while (sql_.insert_many != nullptr && due.size() - done >= kMany) {
    auto& many = database.statement(sql_.insert_many);
    int parameter = 0;
    for (const auto end = done + kMany; done < end; ++done) {
      const auto& [user, entry] = due[done];
      many.bind_at(parameter++, user->value());
      if (sql_.by_place) many.bind_at(parameter++, entry.place);
      many.bind_at(parameter++, entry.row);
    }
    many.run();
  }
  for (; done < due.size(); ++done) {
    const auto& [user, entry] = due[done];
    database.run(sql_.insert, user->value(), entry.place, entry.row);
  }
}

void UserList::committed() {
  added_last_ = added_.size();
  if (added_.empty() && listed_.empty() && !done_then_) return;
  const std::lock_guard lock(mutex_);
  for (const auto& [user, count] : listed_) {
    const auto found = unlisted_.find(user);
    auto& entries = found->second;
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count));
    count_ -= count;
    if (entries.empty()) unlisted_.erase(found);
  }
  const UserId* owner = nullptr;
  Entries* entries = nullptr;
  for (const auto& [user, entry] : added_) {
    if (owner == nullptr || *owner != user) entries = &unlisted_[user];
    owner = &user;
    last_row_ = std::max(last_row_, entry.row);
    if (put_in_order(*entries, entry)) ++count_;
  }
  if (!listed_.empty() || done_then_) next_ = next_then_;
  if (done_then_) {
    listing_ = false;
    done_ = covered_;
  }
  rolled_back();
}

void UserList::rolled_back() {
  added_.clear();
  listed_.clear();
  done_then_ = false;
}

void UserList::rolled_back_partly(sqlite::Connection& database) {
  const auto is_gone = [&](const ListEntry& entry) {
    auto& row = database.statement(sql_.has_row).bind(entry.row);
    const bool is_there = row.next();
    row.reset();
    return !is_there;
  };
  std::erase_if(added_, [&](const Added& one) { return is_gone(one.entry); });
}

std::vector<ListEntry> UserList::unlisted(const UserId& user, std::int64_t after, std::int64_t upto) const {
  const std::lock_guard lock(mutex_);
  const auto found = unlisted_.find(user);
  if (found == unlisted_.end()) return {};
  const auto& entries = found->second;
  return {std::upper_bound(entries.begin(), entries.end(), ListEntry{after, 0}, before),
          std::upper_bound(entries.begin(), entries.end(), ListEntry{upto, 0}, before)};
}

}  // namespace rushes::store_sqlite
