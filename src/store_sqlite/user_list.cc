#include "store_sqlite/user_list.h"

#include "store_sqlite/runs.h"

#include <algorithm>
#include <charconv>

namespace rushes::store_sqlite {
namespace {

bool before(const ListEntry& left, const ListEntry& right) { return left.place < right.place; }

std::vector<ListEntry> read_entries(std::string_view text, bool has_pairs) {
  std::vector<ListEntry> entries;
  std::int64_t place = 0;
  bool is_row = !has_pairs;
  for (const char *at = text.data(), *end = at + text.size(); at != end;) {
    std::int64_t number = 0;
    const auto [behind, failed] = std::from_chars(at, end, number);
    if (failed != std::errc()) {
      ++at;
      continue;
    }
    at = behind;
    if (is_row) entries.push_back({has_pairs ? place : number, number});
    place = number;
    is_row = !has_pairs || !is_row;
  }
  return entries;
}

template <class Iterator>
std::string write_entries(Iterator begin, Iterator end, bool has_pairs) {
  std::string text;
  for (auto entry = begin; entry != end; ++entry) {
    text += entry == begin ? '[' : ',';
    if (has_pairs) text += '[' + std::to_string(entry->place) + ',';
    text += std::to_string(entry->row);
    if (has_pairs) text += ']';
  }
  return text + ']';
}

/// Writes some of a user's entries as a row of the list.
template <class Iterator>
void write_run(sqlite::Connection& database, const UserList::Sql& sql, const UserId& user, Iterator begin,
               Iterator end) {
  database.run(sql.put, user.value(), begin->place, write_entries(begin, end, sql.has_pairs));
}

/// The entries of the row in which `place` is if it is anywhere.
std::vector<ListEntry> find_run(sqlite::Connection& database, const UserList::Sql& sql, const UserId& user,
                                std::int64_t place, std::int64_t* first = nullptr) {
  auto& row = database.statement(sql.find).bind(user.value(), place);
  if (!row.next()) return {};
  if (first != nullptr) *first = row.integer(0);
  auto entries = read_entries(row.text(1), sql.has_pairs);
  row.reset();
  return entries;
}

/// Puts an entry among those that are listed.
void merge(sqlite::Connection& database, const UserList::Sql& sql, const UserId& user, const ListEntry& entry) {
  auto run = find_run(database, sql, user, entry.place);
  put_into_run(run, entry, before, [&](auto begin, auto end) { write_run(database, sql, user, begin, end); });
}

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

// How the lists of all three tables are read and written.
#define RUSHES_LIST_SQL(table)                                                                           \
  "SELECT first, entries FROM " table " WHERE user_id = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1", \
      "SELECT entries FROM " table                                                                       \
      " WHERE user_id = ?1 AND first >="                                                                 \
      " ifnull((SELECT max(first) FROM " table                                                           \
      " WHERE user_id = ?1 AND first <= ?2), 0) AND first <= ?3"                                         \
      " ORDER BY first",                                                                                 \
      "SELECT entries FROM " table " WHERE user_id = ?1 AND first <= ?2 ORDER BY first DESC",            \
      "INSERT OR REPLACE INTO " table " VALUES (?1, ?2, ?3)",                                            \
      "DELETE FROM " table " WHERE user_id = ?1 AND first = ?2"

const UserList::Sql kJobList{"SELECT value FROM counters WHERE name = 'jobs_listed'",
                             "SELECT user_id, no, no FROM submitted_jobs WHERE no > ? ORDER BY no",
                             "SELECT 1 FROM submitted_jobs WHERE no = ?",
                             RUSHES_LIST_SQL("user_jobs"),
                             "UPDATE counters SET value = ? WHERE name = 'jobs_listed'",
                             false,
                             false};
const UserList::Sql kEventList{"SELECT value FROM counters WHERE name = 'events_listed'",
                               "SELECT user_id, seq, id FROM log WHERE id > ? ORDER BY id",
                               "SELECT 1 FROM log WHERE id = ?",
                               RUSHES_LIST_SQL("user_events"),
                               "UPDATE counters SET value = ? WHERE name = 'events_listed'",
                               true,
                               false};
const UserList::Sql kAnalysisList{"SELECT value FROM counters WHERE name = 'analyses_listed'",
                                  "SELECT user_id, no, no FROM analyses WHERE no > ? ORDER BY no",
                                  "SELECT 1 FROM analyses WHERE no = ?",
                                  RUSHES_LIST_SQL("user_analyses"),
                                  "UPDATE counters SET value = ? WHERE name = 'analyses_listed'",
                                  false,
                                  true};

UserList::UserList(const Sql& sql, sqlite::Connection& database, std::size_t batch) : sql_(sql), batch_(batch) {
  auto& listed = database.statement(sql_.listed);
  listed.next();
  done_ = covered_ = last_row_ = listed.integer(0);
  listed.reset();
  auto& rows = database.statement(sql_.rows).bind(covered_);
  while (rows.next()) added_.push_back({UserId(rows.text(0)), {rows.integer(1), rows.integer(2)}});
  committed();
  added_last_ = 0;
  listed_maybe_ = last_row_;
}

void UserList::add(sqlite::Connection& database, const UserId& user, ListEntry entry) {
  // It comes late: the batch lists it with those of its user that stand before it, or they are listed already.
  if (entry.row <= covered_ && !is_any_due_before(user, entry.place)) return merge(database, sql_, user, entry);
  added_.push_back({user, entry});
}

bool UserList::is_any_due_before(const UserId& user, std::int64_t place) const {
  const auto known = unlisted_.find(user);
  if (known == unlisted_.end()) return false;
  const auto listed = std::find_if(listed_.begin(), listed_.end(), [&](const Listed& one) { return one.user == user; });
  const auto count = listed == listed_.end() ? 0 : listed->count;  // with the transaction under way
  return known->second.size() > count && known->second[count].place < place;
}

void UserList::remove(sqlite::Connection& database, const UserId& user, std::int64_t place) const {
  std::int64_t first = 0;
  auto run = find_run(database, sql_, user, place, &first);
  if (std::erase_if(run, [&](const ListEntry& entry) { return entry.place == place; }) == 0) return;
  database.run(sql_.drop, user.value(), first);
  if (!run.empty()) write_run(database, sql_, user, run.begin(), run.end());
}

std::optional<ListEntry> UserList::last(sqlite::Connection& database, const UserId& user) const {
  const auto added = std::find_if(added_.rbegin(), added_.rend(), [&](const Added& one) { return one.user == user; });
  if (added != added_.rend()) return added->entry;
  if (const auto known = unlisted_.find(user); known != unlisted_.end()) return known->second.back();
  const auto run = find_run(database, sql_, user, INT64_MAX);
  return run.empty() ? std::nullopt : std::optional(run.back());
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
  write(database, due);
  done_then_ = next_then_ == users_.size();
  if (done_then_) database.run(sql_.set_done, covered_);
}

void UserList::write(sqlite::Connection& database, const Due& due) const {
  std::vector<ListEntry> run;
  for (auto at = due.begin(); at != due.end(); ++at) {
    const auto& [user, entry] = *at;
    if (entry.row <= listed_maybe_) {
      merge(database, sql_, *user, entry);
    } else if (!sql_.may_be_gone || has_row(database, sql_.has_row, entry.row)) {
      run.push_back(entry);
    }
    const auto next = std::next(at);
    if (run.size() < kRun && next != due.end() && next->first == user) continue;
    if (!run.empty()) write_run(database, sql_, *user, run.begin(), run.end());
    run.clear();
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
  std::erase_if(added_, [&](const Added& one) { return !has_row(database, sql_.has_row, one.entry.row); });
}

std::vector<ListEntry> UserList::unlisted(const UserId& user, std::int64_t after, std::int64_t upto) const {
  const std::lock_guard lock(mutex_);
  const auto found = unlisted_.find(user);
  if (found == unlisted_.end() || after >= upto) return {};
  const auto& entries = found->second;
  return {std::upper_bound(entries.begin(), entries.end(), ListEntry{after, 0}, before),
          std::upper_bound(entries.begin(), entries.end(), ListEntry{upto, 0}, before)};
}

void UserList::each(sqlite::Connection& database, const UserId& user, std::int64_t after, std::int64_t upto,
                    Direction direction, const std::function<bool(const ListEntry&)>& take) const {
  // Before the list: what is listed in between is in both then.
  const auto remembered = unlisted(user, after, upto);
  const auto listed_upto = remembered.empty() ? upto : remembered.front().place - 1;
  const auto take_wanted = [&](const ListEntry& entry) {
    return entry.place <= after || entry.place > listed_upto || take(entry);
  };
  if (direction == Direction::up) {
    auto& rows = database.statement(sql_.up).bind(user.value(), after, listed_upto);
    while (rows.next()) {
      const auto run = read_entries(rows.text(0), sql_.has_pairs);
      if (!std::all_of(run.begin(), run.end(), take_wanted)) return rows.reset();
    }
    (void)std::all_of(remembered.begin(), remembered.end(), take);
    return;
  }
  if (!std::all_of(remembered.rbegin(), remembered.rend(), take)) return;
  auto& rows = database.statement(sql_.down).bind(user.value(), listed_upto);
  while (rows.next()) {
    const auto run = read_entries(rows.text(0), sql_.has_pairs);
    const bool more = std::all_of(run.rbegin(), run.rend(), take_wanted);
    if (!more || run.front().place <= after) return rows.reset();
  }
}

void write_list(sqlite::Connection& database, const UserList::Sql& sql, std::string_view rows) {
  std::vector<ListEntry> run;
  UserId user;
  const auto write = [&] {
    if (!run.empty()) write_run(database, sql, user, run.begin(), run.end());
    run.clear();
  };
  auto& row = database.statement(rows);
  while (row.next()) {
    if (UserId next(row.text(0)); next != user) {
      write();
      user = std::move(next);
    }
    run.push_back({row.integer(1), row.integer(2)});
    if (run.size() == kRun) write();
  }
  write();
}

}  // namespace rushes::store_sqlite
