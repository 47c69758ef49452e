#include "store_sqlite/id_list.h"

#include "store_sqlite/runs.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace rushes::store_sqlite {
namespace {

// A batch is sorted at once.
constexpr std::size_t kLargestBatch = 16'384;

using Entry = std::pair<Uuid, std::int64_t>;
constexpr std::size_t kEntryBytes = 24;

// Big-endian, so that SQLite compares ids as their texts.
void append(std::string& bytes, std::uint64_t value) {
  std::array<char, 8> word{};
  for (std::size_t i = 0; i < word.size(); ++i) word[i] = static_cast<char>(value >> (56U - 8U * i));
  bytes.append(word.data(), word.size());
}

std::uint64_t read_word(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = at; i < at + 8; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::string key_of(const Uuid& id) {
  std::string bytes;
  append(bytes, id.high);
  append(bytes, id.low);
  return bytes;
}

bool before(const Entry& left, const Entry& right) { return left.first < right.first; }

/// What one row holds, sorted.
struct Run {
  std::string key;  // of its first entry
  std::vector<Entry> entries;
};

/// The row in which `id` is if it is anywhere.
std::optional<Run> find_run(sqlite::Connection& database, const IdList::Sql& sql, const Uuid& id) {
  auto& row = database.statement(sql.find);
  if (!row.bind(sqlite::Blob{key_of(id)}).next()) return std::nullopt;
  Run run{row.text(0), {}};
  const auto bytes = row.text(1);
  row.reset();
  for (std::size_t at = 0; at + kEntryBytes <= bytes.size(); at += kEntryBytes) {
    run.entries.emplace_back(Uuid{read_word(bytes, at), read_word(bytes, at + 8)},
                             static_cast<std::int64_t>(read_word(bytes, at + 16)));
  }
  return run;
}

std::optional<std::int64_t> find_written(sqlite::Connection& database, const IdList::Sql& sql, const Uuid& id) {
  const auto run = find_run(database, sql, id);
  if (!run) return std::nullopt;
  const auto at = std::lower_bound(run->entries.begin(), run->entries.end(), Entry(id, 0), before);
  if (at == run->entries.end() || at->first != id) return std::nullopt;
  return at->second;
}

template <class Iterator>
void write_run(sqlite::Connection& database, const IdList::Sql& sql, Iterator begin, Iterator end) {
  std::string entries;
  entries.reserve(static_cast<std::size_t>(end - begin) * kEntryBytes);
  for (auto entry = begin; entry != end; ++entry) {
    append(entries, entry->first.high);
    append(entries, entry->first.low);
    append(entries, static_cast<std::uint64_t>(entry->second));
  }
  database.run(sql.put, sqlite::Blob{key_of(begin->first)}, sqlite::Blob{entries});
}

/// Puts the entry into the run where it belongs.
void merge(sqlite::Connection& database, const IdList::Sql& sql, const Entry& entry) {
  auto run = find_run(database, sql, entry.first).value_or(Run());
  put_into_run(run.entries, entry, before, [&](auto begin, auto end) { write_run(database, sql, begin, end); });
}

}  // namespace

// How the ids of either table are read and written.
#define RUSHES_ID_SQL(table)                                                           \
  "SELECT first, entries FROM " table " WHERE first <= ? ORDER BY first DESC LIMIT 1", \
      "INSERT OR REPLACE INTO " table " VALUES (?, ?)", "DELETE FROM " table " WHERE first = ?"

const IdList::Sql kJobIds{"SELECT value FROM counters WHERE name = 'ids_listed'",
                          "SELECT id, no FROM submitted_jobs WHERE no > ? ORDER BY no",
                          "SELECT id, no FROM submitted_jobs"
                          " WHERE no <= (SELECT value FROM counters WHERE name = 'ids_listed')",
                          "SELECT 1 FROM submitted_jobs WHERE no = ?",
                          RUSHES_ID_SQL("job_ids"),
                          "UPDATE counters SET value = ? WHERE name = 'ids_listed'"};
const IdList::Sql kAnalysisIds{"SELECT value FROM counters WHERE name = 'analysis_ids_listed'",
                               "SELECT id, no FROM analyses WHERE no > ? ORDER BY no",
                               "SELECT id, no FROM analyses"
                               " WHERE no <= (SELECT value FROM counters WHERE name = 'analysis_ids_listed')",
                               "SELECT 1 FROM analyses WHERE no = ?",
                               RUSHES_ID_SQL("analysis_ids"),
                               "UPDATE counters SET value = ? WHERE name = 'analysis_ids_listed'"};

IdList::IdList(const Sql& sql, sqlite::Connection& database, std::size_t batch)
    : sql_(sql), batch_(std::min(batch, kLargestBatch)) {
  auto& counter = database.statement(sql_.counter);
  counter.next();
  written_ = covered_ = last_number_ = counter.integer(0);
  counter.reset();
  const auto last = find_run(database, sql_, Uuid{UINT64_MAX, UINT64_MAX});
  if (last) highest_ = last->entries.back().first;
  auto& rows = database.statement(sql_.rows).bind(written_);
  while (rows.next()) {
    last_number_ = rows.integer(1);
    if (const auto id = Uuid::parse(rows.text(0))) unwritten_.emplace(*id, last_number_);
  }
}

void IdList::add(sqlite::Connection& database, const std::string& id, std::int64_t number) {
  const auto uuid = Uuid::parse(id);
  if (!uuid) throw std::invalid_argument("'" + id + "' is no UUID");
  const auto taken = number_of(database, *uuid);
  if (taken && std::find(removed_.begin(), removed_.end(), Entry(*uuid, *taken)) == removed_.end()) {
    throw sqlite::Failure(SQLITE_CONSTRAINT_UNIQUE, "the id " + id + " is taken");
  }
  added_.emplace_back(*uuid, number);
  const std::lock_guard lock(mutex_);
  unwritten_.insert_or_assign(*uuid, number);
}

void IdList::forget(const Entry& entry) {
  const auto found = unwritten_.find(entry.first);
  if (found != unwritten_.end() && found->second == entry.second) unwritten_.erase(found);
}

void IdList::remove(sqlite::Connection& database, const std::string& id) {
  const auto uuid = Uuid::parse(id);
  if (!uuid) return;
  if (const auto found = unwritten_.find(*uuid); found != unwritten_.end()) removed_.push_back(*found);
  auto run = find_run(database, sql_, *uuid);
  if (!run) return;
  if (std::erase_if(run->entries, [&](const Entry& entry) { return entry.first == *uuid; }) == 0) return;
  database.run(sql_.drop, sqlite::Blob{run->key});
  if (!run->entries.empty()) write_run(database, sql_, run->entries.begin(), run->entries.end());
}

std::optional<std::int64_t> IdList::number_of(sqlite::Connection& database, const std::string& id) const {
  const auto uuid = Uuid::parse(id);
  return uuid ? number_of(database, *uuid) : std::nullopt;
}

std::optional<std::int64_t> IdList::number_of(sqlite::Connection& database, const Uuid& id) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = unwritten_.find(id);
    if (found != unwritten_.end()) return found->second;
    if (!highest_ || *highest_ < id) return std::nullopt;
  }
  return find_written(database, sql_, id);
}

void IdList::start() {
  covered_ = last_number_;
  due_.assign(unwritten_.begin(), unwritten_.end());
  std::sort(due_.begin(), due_.end());
  next_ = next_then_ = 0;
}

void IdList::step(sqlite::Connection& database) {
  if (due_.empty() && unwritten_.size() < batch_) return;
  if (due_.empty()) start();
  write(database, std::max(kStep, added_last_));
}

bool IdList::hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto) {
  if (!upto) upto = last_number_;
  if (written_ >= *upto) return false;
  if (due_.empty()) start();
  if (next_then_ == next_ && !done_then_) write(database, kStep);
  return true;
}

void IdList::write(sqlite::Connection& database, std::size_t most) {
  highest_then_ = highest_;
  std::vector<Entry> run;
  const auto write_gathered = [&] {
    if (run.empty()) return;
    write_run(database, sql_, run.begin(), run.end());
    highest_then_ = run.back().first;
    run.clear();
  };
  const auto end = std::min(due_.size(), next_ + most);
  for (next_then_ = next_; next_then_ < end || (!run.empty() && next_then_ < due_.size()); ++next_then_) {
    const auto& entry = due_[next_then_];
    const auto wanted = unwritten_.find(entry.first);
    if (wanted == unwritten_.end() || wanted->second != entry.second) continue;  // it was removed
    if (highest_then_ && entry.first <= *highest_then_) {
      merge(database, sql_, entry);
    } else {
      run.push_back(entry);
    }
    if (run.size() == kRun) write_gathered();
  }
  write_gathered();
  done_then_ = next_then_ == due_.size();
  if (done_then_) database.run(sql_.set_counter, covered_);
}

void IdList::committed() {
  added_last_ = added_.size();
  if (!added_.empty()) last_number_ = std::max(last_number_, added_.back().second);
  added_.clear();
  if (removed_.empty() && next_then_ == next_ && !done_then_) return;
  const std::lock_guard lock(mutex_);
  for (const auto& entry : removed_) forget(entry);
  removed_.clear();
  if (next_then_ > next_) highest_ = highest_then_;
  for (; next_ < next_then_; ++next_) forget(due_[next_]);
  if (!std::exchange(done_then_, false)) return;
  written_ = covered_;
  due_.clear();
  next_ = next_then_ = 0;
}

void IdList::rolled_back() {
  next_then_ = next_;
  done_then_ = false;
  const std::lock_guard lock(mutex_);
  for (const auto& entry : added_) forget(entry);
  // But what it had added itself.
  const auto is_own = [&](const Entry& entry) {
    return std::find(added_.begin(), added_.end(), entry) != added_.end();
  };
  for (const auto& entry : removed_) {
    if (!is_own(entry)) unwritten_.insert(entry);
  }
  added_.clear();
  removed_.clear();
}

void IdList::rolled_back_partly(sqlite::Connection& database) {
  std::erase_if(added_, [&](const Entry& entry) {
    if (has_row(database, sql_.has_row, entry.second)) return false;
    const std::lock_guard lock(mutex_);
    forget(entry);
    return true;
  });
  std::erase_if(removed_, [&](const Entry& entry) {
    if (!has_row(database, sql_.has_row, entry.second)) return false;
    const std::lock_guard lock(mutex_);
    unwritten_.insert_or_assign(entry.first, entry.second);
    return true;
  });
}

std::vector<std::string> find_unlisted(sqlite::Connection& database, const IdList::Sql& sql) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> missing;
  auto& rows = database.statement(sql.listed_rows);
  while (rows.next() && missing.size() < kShown) {
    const auto id = Uuid::parse(rows.text(0));
    if (!id || find_written(database, sql, *id) != rows.integer(1)) missing.push_back(rows.text(0));
  }
  return missing;
}

void write_ids(sqlite::Connection& database, const IdList::Sql& sql, std::string_view rows) {
  std::vector<Entry> run;
  const auto write = [&] {
    if (!run.empty()) write_run(database, sql, run.begin(), run.end());
    run.clear();
  };
  auto& row = database.statement(rows);
  while (row.next()) {
    if (const auto id = Uuid::parse(row.text(0))) run.emplace_back(*id, row.integer(1));
    if (run.size() == kRun) write();
  }
  write();
}

}  // namespace rushes::store_sqlite
