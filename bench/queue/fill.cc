#include "queue/fill.h"

#include "queue/store_driver.h"
#include "sqlite/connection.h"
#include "store_sqlite/id_list.h"
#include "store_sqlite/user_list.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace rushes::bench {
namespace {

constexpr std::int64_t kAtOnce = 50'000;  // jobs in one statement

/// What of a copied row is its own: SQL by column, of `i`, which counts the jobs.
using Own = std::map<std::string, std::string>;

std::string user_of_i(int users) { return "'user' || (i % " + std::to_string(users) + ")"; }
// A UUIDv7's order is that of time, and so is that of the numbers.
constexpr const char* kIdOfI = "printf('0197%04x-%04x-7000-8000-%012x', (i >> 16) & 65535, i & 65535, i)";

// Jobs and events are numbered together. A job's first event is its row, another follows where it has ended.
constexpr const char* kNumber = "2 * i";
constexpr const char* kEndNumber = "2 * i + 1";

struct Templates {
  JobId completed;
  JobId waiting;
};

Task<> make_templates(StoreUnderTest& store, JobMaker& maker, Templates& made) {
  auto first = maker.next();
  made.completed = first.id;
  const auto submitted = co_await store.jobs().submit(std::move(first), kAnyNumber);
  require(submitted, "submit");
  const jobs::ClaimRequest request;
  auto claimed = co_await store.jobs().claim(request);
  require(claimed, "claim");
  const SystemClock clock;
  SystemRng rng;
  auto completion = nothing_much(clock, rng);
  const auto completed = co_await store.jobs().complete(claimed->at(0).lease, std::move(completion));
  require(completed, "complete");
  auto second = maker.next();
  made.waiting = second.id;
  const auto queued = co_await store.jobs().submit(std::move(second), kAnyNumber);
  require(queued, "submit");
}

class Copier {
 public:
  Copier(const std::filesystem::path& file, FillPlan plan) : database_(file, sqlite::Access::read_write), plan_(plan) {
    database_.execute(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-262144");
  }

  void copy(const Templates& templates) {
    const auto completed_job = find(templates.completed);
    const auto waiting_job = find(templates.waiting);
    const auto indexes = take_indexes();
    const auto completed = plan_.jobs - plan_.waiting;
    StatusLine status;
    // Behind those that the store made.
    for (std::int64_t done = 0; done < plan_.jobs;) {
      const auto most = done < completed ? completed : plan_.jobs;
      const auto end = std::min(done + kAtOnce, most);
      copy_job(done < completed ? completed_job : waiting_job, done + 3, end + 2);
      done = end;
      status.show("filling the database", done, plan_.jobs);
    }
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      status.show("indexing the database", static_cast<std::int64_t>(i), static_cast<std::int64_t>(indexes.size()));
      database_.execute(indexes[i]);
    }
    database_.execute(
        "DELETE FROM user_jobs; DELETE FROM user_events; DELETE FROM job_ids; UPDATE counters SET value ="
        " (SELECT max(no) FROM submitted_jobs) WHERE name IN ('jobs_listed', 'ids_listed');"
        "UPDATE counters SET value = (SELECT max(id) FROM log) WHERE name = 'events_listed'");
    status.show("listing the jobs", 0, 3);
    store_sqlite::write_list(database_, store_sqlite::kJobList,
                             "SELECT user_id, no, no FROM submitted_jobs ORDER BY user_id, no");
    status.show("listing the jobs", 1, 3);
    store_sqlite::write_list(database_, store_sqlite::kEventList,
                             "SELECT user_id, seq, id FROM log ORDER BY user_id, seq");
    status.show("listing the jobs", 2, 3);
    store_sqlite::write_ids(database_, store_sqlite::kJobIds, "SELECT id, no FROM submitted_jobs ORDER BY id");
    database_.execute("INSERT OR IGNORE INTO unfinished_jobs SELECT no FROM jobs WHERE state < 2 ORDER BY no");
    database_.execute(
        "UPDATE counters SET value = (SELECT max(no) FROM submitted_jobs) WHERE name = 'unfinished_listed'");
  }

 private:
  /// Drops them, and gives what makes them again: that is quicker once all rows are there.
  std::vector<std::string> take_indexes() {
    std::vector<std::pair<std::string, std::string>> found;
    auto& rows = database_.statement(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('submitted_jobs', 'job_states', 'events')");
    while (rows.next()) found.emplace_back(rows.text(0), rows.text(1));
    std::vector<std::string> sql;
    for (auto& [name, made_by] : found) {
      database_.execute("DROP INDEX " + name);
      sql.push_back(std::move(made_by));
    }
    return sql;
  }

  struct Original {
    std::string id;
    std::string number;
  };
  /// Once, as it reads the whole table.
  Original find(const JobId& job) {
    auto& row = database_.statement("SELECT no FROM submitted_jobs WHERE id = ?").bind(job.value());
    row.next();
    Original found{job.value(), std::to_string(row.integer(0))};
    row.reset();
    return found;
  }

  void copy_job(const Original& job, std::int64_t first, std::int64_t last) {
    const auto user = user_of_i(plan_.users);
    database_.execute("BEGIN");
    copy_rows("submitted_jobs", "no = " + job.number,
              {{"no", kNumber}, {"id", kIdOfI}, {"user_id", user}, {"place", "i"}, {"first_seq", kNumber}}, first,
              last);
    // Nothing, of a job that waits.
    copy_rows("job_states", "no = " + job.number,
              {{"no", kNumber}, {"place", "i"}, {"audit_id", "NULL"}, {"last_seq", kEndNumber}}, first, last);
    // Before 6: not one of the copies.
    copy_rows("events", "id = (SELECT max(id) FROM events WHERE job_id = '" + job.id + "' AND id < 6)",
              {{"id", kEndNumber}, {"user_id", user}, {"seq", kEndNumber}, {"job_id", kIdOfI}}, first, last);
    database_.execute("COMMIT");
  }

  void copy_rows(const std::string& table, const std::string& which, const Own& own, std::int64_t first,
                 std::int64_t last) {
    std::string columns;
    std::string values;
    auto& known = database_.statement("SELECT name FROM pragma_table_info(?)").bind(table);
    while (known.next()) {
      const auto name = known.text(0);
      const auto mine = own.find(name);
      columns += (columns.empty() ? "" : ", ") + name;
      values += (values.empty() ? "" : ", ") + (mine == own.end() ? name : mine->second);
    }
    database_.execute("WITH RECURSIVE numbers(i) AS (SELECT " + std::to_string(first) +
                      " UNION ALL SELECT i + 1 FROM numbers WHERE i < " + std::to_string(last) + ") INSERT INTO " +
                      table + " (" + columns + ") SELECT " + values + " FROM numbers, (SELECT * FROM " + table +
                      " WHERE " + which + ")");
  }

  sqlite::Connection database_;
  const FillPlan plan_;
};

}  // namespace

void fill_database(const std::filesystem::path& file, const FillPlan& plan) {
  Templates templates;
  {
    StoreUnderTest store(file);
    JobMaker maker(1, plan.body_bytes);
    std::vector<Task<>> one;
    one.push_back(make_templates(store, maker, templates));
    run_together(std::move(one));
  }
  Copier(file, plan).copy(templates);
}

}  // namespace rushes::bench
