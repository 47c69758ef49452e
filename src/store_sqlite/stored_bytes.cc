#include "store_sqlite/stored_bytes.h"

namespace rushes::store_sqlite {

void charge(sqlite::Connection& database, const UserId& user, const jobs::StoredBytes& more) {
  database.run(
      "INSERT INTO user_bytes (user_id, uploads, results) VALUES (?1, max(?2, 0), max(?3, 0)) ON CONFLICT (user_id)"
      " DO UPDATE SET uploads = max(uploads + ?2, 0), results = max(results + ?3, 0)",
      user.value(), more.uploads, more.results);
}

void charge_upload(sqlite::Connection& database, const jobs::NewJob& job) {
  if (job.type != jobs::JobType::upload || job.retry_of) return;
  auto& row =
      database.statement("SELECT ifnull(json_extract(?1, '$.upload'), ''), ifnull(json_extract(?1, '$.size'), 0)");
  row.bind(job.input).next();
  const auto upload = row.text(0);
  const auto bytes = row.integer(1);
  row.reset();
  if (upload.empty()) return;
  const auto added =
      database.run("INSERT INTO uploads VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", upload, job.user.value(), bytes);
  if (added > 0) charge(database, job.user, {bytes, 0});
}

void give_back_analysis(sqlite::Connection& database, std::int64_t number) {
  auto& row =
      database.statement("SELECT user_id, length(CAST(result AS BLOB)) + file_bytes FROM analyses WHERE no = ?");
  if (!row.bind(number).next()) return;
  const UserId user(row.text(0));
  const auto bytes = row.integer(1);
  row.reset();
  charge(database, user, {0, -bytes});
}

}  // namespace rushes::store_sqlite
