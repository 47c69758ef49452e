#pragma once
#include "jobs/storage.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

class SqliteStorage final : public jobs::Storage {
 public:
  SqliteStorage(Readers& readers, Writer& writer) : readers_(readers), writer_(writer) {}

  Task<Result<jobs::StoredBytes>> bytes_of(UserId user) override;
  Task<Result<jobs::StoredBytes>> bytes_of_all() override;
  Task<Result<std::vector<UserId>>> full_users(std::int64_t quota) override;
  Task<Result<std::vector<jobs::EndedUpload>>> ended_uploads(jobs::EndedUploads wanted) override;
  Task<Result<std::vector<JobId>>> remove_uploads(std::vector<JobId> uploads) override;
  Task<Result<std::optional<Timestamp>>> kept_until(JobId upload, jobs::UploadRetention keep) override;
  Task<Result<std::vector<jobs::UsageStep>>> take_usage_steps(std::int64_t quota, std::optional<UserId> user) override;
  Task<Result<std::optional<jobs::UsageStep>>> take_full_step(UserId user) override;

 private:
  Readers& readers_;
  Writer& writer_;
};

}  // namespace rushes::store_sqlite
