#include "store_sqlite/job_ids.h"

#include "store_sqlite/runs.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace rushes::store_sqlite {
namespace {

// Half a millisecond of the writer's time. Where a transaction adds more than that, the next writes as many.
constexpr std::size_t kStep = 500;
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
std::optional<Run> find_run(sqlite::Connection& database, const Uuid& id) {
  auto& row = database.statement("SELECT first, entries FROM job_id_runs WHERE first <= ? ORDER BY first DESC LIMIT 1");
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

std::optional<std::int64_t> find_written(sqlite::Connection& database, const Uuid& id) {
  const auto run = find_run(database, id);
  if (!run) return std::nullopt;
  const auto at = std::lower_bound(run->entries.begin(), run->entries.end(), Entry(id, 0), before);
  if (at == run->entries.end() || at->first != id) return std::nullopt;
  return at->second;
}

template <class Iterator>
void write_run(sqlite::Connection& database, Iterator begin, Iterator end) {
  std::string entries;
  entries.reserve(static_cast<std::size_t>(end - begin) * kEntryBytes);
  for (auto entry = begin; entry != end; ++entry) {
    append(entries, entry->first.high);
    append(entries, entry->first.low);
    append(entries, static_cast<std::uint64_t>(entry->second));
  }
  database.run("INSERT OR REPLACE INTO job_id_runs VALUES (?, ?)", sqlite::Blob{key_of(begin->first)},
               sqlite::Blob{entries});
}

/// Puts the entry into the run where it belongs.
void merge(sqlite::Connection& database, const Entry& entry) {
  auto run = find_run(database, entry.first).value_or(Run());
  put_into_run(run.entries, entry, before, [&](auto begin, auto end) { write_run(database, begin, end); });
}

}  // namespace

JobIds::JobIds(sqlite::Connection& database, std::size_t batch) : batch_(std::min(batch, kLargestBatch)) {
  auto& counter = database.statement("SELECT value FROM counters WHERE name = 'ids_listed'");
  counter.next();
  written_ = covered_ = last_number_ = counter.integer(0);
  counter.reset();
  if (const auto last = find_run(database, Uuid{UINT64_MAX, UINT64_MAX})) highest_ = last->entries.back().first;
  auto& rows = database.statement("SELECT id, no FROM submitted_jobs WHERE no > ? ORDER BY no").bind(written_);
  while (rows.next()) {
    last_number_ = rows.integer(1);
    if (const auto id = Uuid::parse(rows.text(0))) unwritten_.emplace(*id, last_number_);
  }
}

void JobIds::add(sqlite::Connection& database, const JobId& id, std::int64_t number) {
  const auto uuid = Uuid::parse(id.value());
  if (!uuid) throw std::invalid_argument("'" + id.value() + "' is no UUID, so that it cannot be a job's id");
  if (number_of(database, *uuid)) throw sqlite::Failure(SQLITE_CONSTRAINT_UNIQUE, "there is a job " + id.value());
  added_.emplace_back(*uuid, number);
  const std::lock_guard lock(mutex_);
  unwritten_.emplace(*uuid, number);
}

void JobIds::remove(sqlite::Connection& database, const JobId& id) const {
  const auto uuid = Uuid::parse(id.value());
  auto run = uuid ? find_run(database, *uuid) : std::nullopt;
  if (!run) return;
  std::erase_if(run->entries, [&](const Entry& entry) { return entry.first == *uuid; });
  database.run("DELETE FROM job_id_runs WHERE first = ?", sqlite::Blob{run->key});
  if (!run->entries.empty()) write_run(database, run->entries.begin(), run->entries.end());
}

std::optional<std::int64_t> JobIds::number_of(sqlite::Connection& database, const JobId& id) const {
  const auto uuid = Uuid::parse(id.value());
  if (!uuid) return std::nullopt;
  return number_of(database, *uuid);
}

std::optional<std::int64_t> JobIds::number_of(sqlite::Connection& database, const Uuid& id) const {
  {
    const std::lock_guard lock(mutex_);
    const auto found = unwritten_.find(id);
    if (found != unwritten_.end()) return found->second;
    if (!highest_ || *highest_ < id) return std::nullopt;
  }
  return find_written(database, id);
}

void JobIds::start() {
  covered_ = last_number_;
  due_.assign(unwritten_.begin(), unwritten_.end());
  std::sort(due_.begin(), due_.end());
  next_ = next_then_ = 0;
}

void JobIds::step(sqlite::Connection& database) {
  if (due_.empty() && unwritten_.size() < batch_) return;
  if (due_.empty()) start();
  write(database, std::max(kStep, added_last_));
}

bool JobIds::hurry(sqlite::Connection& database, std::optional<std::int64_t>& upto) {
  if (!upto) upto = last_number_;
  if (written_ >= *upto) return false;
  if (due_.empty()) start();
  if (next_then_ == next_) write(database, kStep);
  return true;
}

void JobIds::write(sqlite::Connection& database, std::size_t most) {
  highest_then_ = highest_;
  const auto end = std::min(due_.size(), next_ + most);
  for (next_then_ = next_; next_then_ < end;) {
    if (highest_then_ && due_[next_then_].first <= *highest_then_) {
      merge(database, due_[next_then_++]);
      continue;
    }
    const auto begin = due_.begin() + static_cast<std::ptrdiff_t>(next_then_);
    const auto run = std::min(kRun, due_.size() - next_then_);
    write_run(database, begin, begin + static_cast<std::ptrdiff_t>(run));
    next_then_ += run;
    highest_then_ = due_[next_then_ - 1].first;
  }
  if (next_then_ == due_.size()) database.run("UPDATE counters SET value = ? WHERE name = 'ids_listed'", covered_);
}

void JobIds::committed() {
  added_last_ = added_.size();
  if (!added_.empty()) last_number_ = std::max(last_number_, added_.back().second);
  added_.clear();
  if (next_then_ == next_) return;
  const std::lock_guard lock(mutex_);
  for (; next_ < next_then_; ++next_) unwritten_.erase(due_[next_].first);
  highest_ = highest_then_;
  if (next_ < due_.size()) return;
  written_ = covered_;
  due_.clear();
  next_ = next_then_ = 0;
}

void JobIds::rolled_back() {
  next_then_ = next_;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, number] : added_) unwritten_.erase(id);
  added_.clear();
}

void JobIds::rolled_back_partly(sqlite::Connection& database) {
  std::erase_if(added_, [&](const Entry& entry) {
    auto& row = database.statement("SELECT 1 FROM submitted_jobs WHERE no = ?").bind(entry.second);
    const bool is_there = row.next();
    row.reset();
    if (is_there) return false;
    const std::lock_guard lock(mutex_);
    unwritten_.erase(entry.first);
    return true;
  });
}

std::vector<std::string> check_job_ids(sqlite::Connection& database) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> problems;
  auto& rows = database.statement(
      "SELECT id, no FROM submitted_jobs WHERE no <= (SELECT value FROM counters WHERE name = 'ids_listed')");
  while (rows.next() && problems.size() < kShown) {
    const auto id = Uuid::parse(rows.text(0));
    if (id && find_written(database, *id) == rows.integer(1)) continue;
    problems.push_back("Job " + rows.text(0) + " is not found by its id.");
  }
  return problems;
}

void write_job_ids(sqlite::Connection& database) {
  std::vector<Entry> run;
  const auto write = [&] {
    if (!run.empty()) write_run(database, run.begin(), run.end());
    run.clear();
  };
  auto& rows = database.statement("SELECT id, no FROM submitted_jobs ORDER BY id");
  while (rows.next()) {
    if (const auto id = Uuid::parse(rows.text(0))) run.emplace_back(*id, rows.integer(1));
    if (run.size() == kRun) write();
  }
  write();
}

}  // namespace rushes::store_sqlite
