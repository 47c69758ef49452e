#include "sqlite/connection.h"
#include "store_sqlite/database_error.h"
#include "store_sqlite/first_events.h"
#include "store_sqlite/id_list.h"
#include "store_sqlite/maintenance.h"
#include "store_sqlite/migrations.h"

#include <array>

namespace rushes::store_sqlite {
namespace {

constexpr std::size_t kShown = 5;  // of each kind of problem

/// A question whose rows are problems: what is wrong, with `%` for the row's first column.
struct Rule {
  const char* words;
  const char* sql;
};

// States: 0 pending, 1 processing, 2 completed, 3 failed, 4 cancelled. Events: 0 queued, 1 started, 2 progress, 3
// completed, 4 failed, 5 cancelled: an end's event is its state's number and one.
constexpr std::array<Rule, 30> kRules{{
    {"Job % has a state that is none.", "SELECT id FROM jobs WHERE state NOT BETWEEN 0 AND 4"},
    {"Job % runs without a lease.",
     "SELECT id FROM jobs WHERE state = 1 AND (lease_token <= 0 OR processed_at IS NULL OR attempt < 1)"},
    {"Job % waits and has an end.", "SELECT id FROM jobs WHERE state < 2 AND finished_at IS NOT NULL"},
    {"Job % has ended at no time.", "SELECT id FROM jobs WHERE state > 1 AND finished_at IS NULL"},
    {"Job % has failed for no reason.", "SELECT id FROM jobs WHERE state = 3 AND failure_code IS NULL"},
    {"Job % has a lease that was never given.",
     "SELECT id FROM jobs WHERE lease_token > (SELECT value FROM counters WHERE name = 'lease')"},
    {"Job % is completed and its analysis is missing.",
     "SELECT id FROM jobs WHERE state = 2 AND audit_id IS NOT NULL"
     " AND audit_id NOT IN (SELECT id FROM analyses)"},
    {"Analysis % is not what its job names, or not of its user.",
     "SELECT analyses.id FROM jobs CROSS JOIN analyses ON analyses.job_id = jobs.id"
     " WHERE jobs.user_id <> analyses.user_id OR jobs.audit_id IS NOT analyses.id"},
    {"The state of job number % is kept, the job is not.",
     "SELECT no FROM job_states WHERE no NOT IN (SELECT no FROM submitted_jobs)"},
    {"Job number % has failed and is not in the list of those, or the other way round.",
     "SELECT no FROM jobs WHERE (state = 3) <> (no IN (SELECT no FROM dead_jobs))"
     " UNION ALL SELECT no FROM dead_jobs WHERE no NOT IN (SELECT no FROM submitted_jobs)"},
    {"The idempotency key of job number % is not kept.",
     "SELECT no FROM jobs WHERE idempotency_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job_keys"
     " WHERE job_keys.user_id = jobs.user_id AND key = idempotency_key AND job_keys.no = jobs.no)"},
    {"The unique key of job number % is not kept although it has not ended, or kept although it has.",
     "SELECT no FROM jobs WHERE unique_key IS NOT NULL AND (state < 2) <> EXISTS (SELECT 1 FROM unique_keys"
     " WHERE unique_keys.user_id = jobs.user_id AND key = unique_key AND unique_keys.no = jobs.no)"},
    {"The upload of job number % is not known to be its.",
     "SELECT no FROM jobs WHERE type = 1 AND json_extract(input, '$.upload') IS NOT NULL AND NOT EXISTS"
     " (SELECT 1 FROM upload_jobs WHERE upload = json_extract(input, '$.upload') AND upload_jobs.no = jobs.no)"},
    {"An attempt of job number % is kept, the job is not.",
     "SELECT DISTINCT job_no FROM attempts WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.no = job_no)"},
    {"A checkpoint of job number % is kept, the job is not, or needs none any more.",
     "SELECT DISTINCT job_no FROM checkpoints WHERE job_no NOT IN (SELECT no FROM jobs WHERE state <> 2)"},
    {"The last event of job % is not that of its state.",
     // Joined in this order, as jobs have no index by id.
     "SELECT jobs.id FROM jobs CROSS JOIN (SELECT job_id, max(id) AS last FROM log GROUP BY job_id) AS told"
     " ON told.job_id = jobs.id CROSS JOIN log ON log.id = last"
     " WHERE (state > 1 AND log.type <> state + 1) OR (state < 2 AND log.type > 2)"},
    // As far as the log reaches: what a user was told before their first event is gone.
    {"Job % has ended and nobody was told.",
     "SELECT jobs.id FROM jobs JOIN (SELECT user_id, min(at) AS begins FROM log GROUP BY user_id) AS kept"
     " ON kept.user_id = jobs.user_id WHERE state > 1 AND finished_at > begins"
     " AND jobs.id NOT IN (SELECT job_id FROM log WHERE type > 2)"},
    {"Job % has ended more often than it was begun.",
     "SELECT job_id FROM log GROUP BY job_id HAVING sum(type > 2) > 1 + sum(type = 0"
     " AND ifnull(payload, '') LIKE '%\"restarted\":true%' AND payload NOT LIKE '%\"positionChanged\":true%')"},
    {"The events of user % are not in order.",
     "SELECT DISTINCT user_id FROM (SELECT user_id, seq, lag(seq) OVER (PARTITION BY user_id ORDER BY id) AS before"
     " FROM log) WHERE seq <= before"},
    {"Event % is another's, or stands twice in the log.",
     "SELECT no FROM submitted_jobs CROSS JOIN events ON events.id = no"
     " WHERE no > " RUSHES_FIRST_EVENTS_APART},
    {"Job number % has not ended and is not in the list of those.",
     "SELECT no FROM jobs WHERE state < 2 AND no <= (SELECT value FROM counters WHERE name = 'unfinished_listed')"
     " AND no NOT IN (SELECT no FROM unfinished_jobs)"},
    {"Job number % is in the list of those that have not ended, and has ended.",
     "SELECT no FROM unfinished_jobs WHERE no NOT IN (SELECT no FROM jobs WHERE state < 2)"},
    {"Job number % is not in its user's list.",
     "SELECT no FROM jobs WHERE no <= (SELECT value FROM counters WHERE name = 'jobs_listed')"
     " AND (user_id, no) NOT IN (SELECT user_id, value FROM user_jobs, json_each(entries))"},
    {"Event % is not in its user's list.",
     "SELECT id FROM log WHERE id <= (SELECT value FROM counters WHERE name = 'events_listed')"
     " AND (user_id, seq, id) NOT IN (SELECT user_id, json_extract(value, '$[0]'), json_extract(value, '$[1]')"
     " FROM user_events, json_each(entries))"},
    {"Analysis % is not in its user's list.",
     "SELECT id FROM analyses WHERE no <= (SELECT value FROM counters WHERE name = 'analyses_listed')"
     " AND (user_id, no) NOT IN (SELECT user_id, value FROM user_analyses, json_each(entries))"},
    {"The list of the events of user % is not in order.",
     "SELECT DISTINCT user_id FROM (SELECT user_id, seq, lag(seq) OVER (PARTITION BY user_id ORDER BY first, key) AS"
     " before FROM (SELECT user_id, first, key, json_extract(value, '$[0]') AS seq FROM user_events,"
     " json_each(entries))) WHERE seq <= before"},
    {"The list of user % has a job that is gone.",
     "SELECT DISTINCT user_id FROM user_jobs, json_each(entries) WHERE value NOT IN (SELECT no FROM submitted_jobs)"},
    {"The list of user % has an event that is gone.",
     "SELECT DISTINCT user_id FROM user_events, json_each(entries)"
     " WHERE json_extract(value, '$[1]') NOT IN (SELECT id FROM log)"},
    {"The list of user % has an analysis that is gone.",
     "SELECT DISTINCT user_id FROM user_analyses, json_each(entries) WHERE value NOT IN (SELECT no FROM analyses)"},
    {"The bytes of user % are not those of their uploads and analyses.",
     "SELECT user_id FROM (SELECT user_id, bytes AS uploads, 0 AS results FROM uploads UNION ALL"
     " SELECT user_id, 0, length(CAST(result AS BLOB)) + file_bytes FROM analyses UNION ALL"
     " SELECT user_id, -uploads, -results FROM user_bytes)"
     " GROUP BY user_id HAVING sum(uploads) <> 0 OR sum(results) <> 0"},
}};

std::int64_t count(sqlite::Connection& database, std::string_view sql) {
  auto& row = database.statement(sql);
  row.next();
  const auto value = row.integer(0);
  row.reset();
  return value;
}

void apply(sqlite::Connection& database, const Rule& rule, std::vector<std::string>& problems) {
  auto& rows = database.statement(rule.sql);
  std::size_t found = 0;
  while (rows.next()) {
    if (++found > kShown) continue;
    std::string words = rule.words;
    problems.push_back(words.replace(words.find('%'), 1, rows.text(0)));
  }
  if (found > kShown) problems.push_back("The same of " + std::to_string(found - kShown) + " more.");
}

void check_ids(sqlite::Connection& database, const std::string& what, const IdList::Sql& sql,
               std::vector<std::string>& problems) {
  for (const auto& id : find_unlisted(database, sql)) problems.push_back(what + id + " is not found by its id.");
}

void check_pages(sqlite::Connection& database, std::vector<std::string>& problems) {
  auto& rows = database.statement("PRAGMA integrity_check(20)");
  while (rows.next()) {
    if (rows.text(0) != "ok") problems.push_back("The file is damaged: " + rows.text(0));
  }
}

}  // namespace

Result<CheckReport> check_database(const std::filesystem::path& database, const Progress& progress) {
  try {
    sqlite::Connection connection(database, sqlite::Access::read_only);
    if (auto newer = newer_version(connection, database)) return *newer;
    if (const auto version = version_of(connection); version != newest_version()) {
      return Error(Errc::conflict, "the database " + database.string() + " has version " + std::to_string(version) +
                                       ", this Rushes checks version " + std::to_string(newest_version()) +
                                       "; start its server once, which brings it there");
    }
    // All of it as of one moment.
    connection.execute("BEGIN");
    CheckReport report;
    const auto steps = static_cast<std::int64_t>(kRules.size()) + 3;
    std::int64_t done = 0;
    report.jobs = count(connection, "SELECT count(*) FROM jobs");
    report.unfinished = count(connection, "SELECT count(*) FROM jobs WHERE state < 2");
    report.events = count(connection, "SELECT count(*) FROM log");
    report.analyses = count(connection, "SELECT count(*) FROM analyses");
    progress(++done, steps);
    check_pages(connection, report.problems);
    progress(++done, steps);
    // What a damaged file says of jobs is nothing to go by.
    const auto& rules = report.problems.empty() ? kRules : decltype(kRules){};
    for (const auto& rule : rules) {
      if (rule.sql != nullptr) apply(connection, rule, report.problems);
      progress(++done, steps);
    }
    if (report.problems.empty()) {
      check_ids(connection, "Job ", kJobIds, report.problems);
      check_ids(connection, "Analysis ", kAnalysisIds, report.problems);
    }
    progress(++done, steps);
    connection.execute("COMMIT");
    return report;
  } catch (const sqlite::Failure& failure) {
    return database_error(database, failure);
  }
}

}  // namespace rushes::store_sqlite
