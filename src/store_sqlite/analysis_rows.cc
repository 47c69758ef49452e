#include "store_sqlite/analysis_rows.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "sqlite/fold.h"
#include "store_sqlite/stored_bytes.h"

// Which are the user's (?1), whether they are listed yet or not (?2: their numbers, a JSON array), with the words (?3)
// in their title.
#define RUSHES_WANTED_ANALYSES                                                              \
  " FROM (SELECT value AS listed FROM user_analyses, json_each(entries) WHERE user_id = ?1" \
  " UNION SELECT value FROM json_each(?2)) CROSS JOIN"                                      \
  " analyses ON analyses.no = listed WHERE user_id = ?1 AND instr(fold(title), ?3) > 0"
// The results, which may be long, of those alone that are on the page.
#define RUSHES_ANALYSES_BY(order)                                                                      \
  "SELECT id, job_id, type, title, created_at, result FROM (SELECT no AS found" RUSHES_WANTED_ANALYSES \
  " ORDER BY " order " LIMIT ?4 OFFSET ?5) CROSS JOIN analyses ON no = found ORDER BY " order

namespace rushes::store_sqlite {
namespace {

jobs::Analysis read_analysis(const sqlite::Statement& row) {
  jobs::Analysis analysis;
  analysis.id = AuditId(row.text(0));
  analysis.job = JobId(row.text(1));
  analysis.type = static_cast<jobs::JobType>(row.integer(2));
  analysis.title = row.text(3);
  analysis.created_at = from_millis(row.integer(4));
  auto result = parse_json(row.text(5));
  if (result && result->is_object()) analysis.result = std::move(result->get_object());
  return analysis;
}

/// The order cannot be a parameter: each of the four is a statement of its own.
std::string_view page_sql(const jobs::HistoryQuery& query) {
  constexpr std::string_view kByTimeUp = RUSHES_ANALYSES_BY("created_at, id");
  constexpr std::string_view kByTimeDown = RUSHES_ANALYSES_BY("created_at DESC, id DESC");
  constexpr std::string_view kByTitleUp = RUSHES_ANALYSES_BY("fold(title), id");
  constexpr std::string_view kByTitleDown = RUSHES_ANALYSES_BY("fold(title) DESC, id DESC");
  if (query.sort_by == "title") return query.ascending ? kByTitleUp : kByTitleDown;
  return query.ascending ? kByTimeUp : kByTimeDown;
}

}  // namespace

void save_analysis(sqlite::Connection& database, LiveJobs& live, const jobs::Job& job,
                   const std::optional<AuditId>& replaced, const jobs::Completion& completion, Timestamp now) {
  if (replaced) remove_analysis(database, live.lists(), *replaced);
  const auto number = live.new_analysis_number();
  const auto result = to_json_text(completion.result);
  database.run(
      "INSERT INTO analyses (no, id, user_id, job_id, type, title, created_at, result, file_bytes)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      number, completion.audit.value(), job.user.value(), job.id.value(), static_cast<int>(job.type), job.title,
      to_millis(now), result, completion.file_bytes);
  charge(database, job.user, {0, static_cast<std::int64_t>(result.size()) + completion.file_bytes});
  live.lists().analyses.add(database, job.user, {number, number});
  live.lists().analysis_ids.add(database, completion.audit.value(), number);
}

Result<jobs::Analysis> find_analysis(sqlite::Connection& database, const Lists& lists, const UserId& user,
                                     const AuditId& id) {
  auto& row = database.statement(
      "SELECT id, job_id, type, title, created_at, result FROM analyses WHERE no = ? AND id = ? AND user_id = ?");
  row.bind(lists.analysis_ids.number_of(database, id.value()), id.value(), user.value());
  if (!row.next()) return Error::for_user(Errc::not_found, "ANALYSIS_NOT_FOUND", "There is no such analysis.");
  auto analysis = read_analysis(row);
  row.reset();
  return analysis;
}

void remove_analysis(sqlite::Connection& database, Lists& lists, const AuditId& id) {
  const auto number = lists.analysis_ids.number_of(database, id.value());
  auto& row = database.statement("SELECT user_id FROM analyses WHERE no = ?").bind(number);
  if (!row.next()) return;
  const UserId user(row.text(0));
  row.reset();
  lists.analyses.remove(database, user, *number);
  lists.analysis_ids.remove(database, id.value());
  give_back_analysis(database, *number);
  database.run("DELETE FROM analyses WHERE no = ?", number);
}

jobs::HistoryPage read_history(sqlite::Connection& database, const UserList& list, const UserId& user,
                               const jobs::HistoryQuery& query) {
  json::array numbers;
  for (const auto& entry : list.unlisted(user, 0, INT64_MAX)) numbers.emplace_back(entry.row);
  const auto unlisted = to_json_text(numbers);
  const auto wanted = sqlite::fold_case(query.search);
  auto& counted = database.statement("SELECT count(*)" RUSHES_WANTED_ANALYSES).bind(user.value(), unlisted, wanted);
  counted.next();
  jobs::HistoryPage page;
  page.total = counted.integer(0);
  counted.reset();
  auto& rows = database.statement(page_sql(query))
                   .bind(user.value(), unlisted, wanted, query.limit, std::int64_t{query.page - 1} * query.limit);
  while (rows.next()) page.analyses.push_back(read_analysis(rows));
  return page;
}

}  // namespace rushes::store_sqlite
