#include "store_sqlite/store.h"

#include "base/log.h"
#include "store_sqlite/database_error.h"
#include "store_sqlite/database_lock.h"
#include "store_sqlite/migrations.h"
#include "store_sqlite/sqlite_credential_store.h"
#include "store_sqlite/sqlite_housekeeping.h"
#include "store_sqlite/sqlite_job_queries.h"
#include "store_sqlite/sqlite_job_store.h"
#include "store_sqlite/sqlite_notification_store.h"
#include "store_sqlite/sqlite_schedule_store.h"
#include "store_sqlite/sqlite_storage.h"
#include "store_sqlite/sqlite_webhook_store.h"

#include <chrono>

namespace rushes::store_sqlite {
namespace {

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::filesystem::path& file, const StoreOptions& options, const Clock& clock, Rng& rng,
              FileDescriptor lock, sqlite::Connection& database)
      : lock_(std::move(lock)),
        readers_(file, options.readers, std::min(options.page_cache, sqlite::Connection::kPageCache)),
        lists_(database, options.list_batch),
        live_(options.parallel_jobs, options.transcript_slots, lists_,
              std::min<std::int64_t>(1'000, static_cast<std::int64_t>(options.list_batch))),
        events_(readers_, writer_, live_, lists_),
        writer_(file, hooks(), {.reserve_log = options.reserve_log, .page_cache = options.page_cache}),
        jobs_(writer_, live_, clock),
        queries_(readers_, writer_, live_, lists_, clock),
        notifications_(readers_, writer_, clock, rng),
        webhooks_(readers_, writer_, clock, rng),
        schedules_(readers_, writer_, clock),
        credentials_(readers_, writer_, clock),
        housekeeping_(readers_, writer_, live_),
        storage_(readers_, writer_) {}

  jobs::JobStore& jobs() override { return jobs_; }
  jobs::JobQueries& queries() override { return queries_; }
  jobs::EventLog& events() override { return events_; }
  notifications::NotificationStore& notifications() override { return notifications_; }
  webhooks::WebhookStore& webhooks() override { return webhooks_; }
  schedules::ScheduleStore& schedules() override { return schedules_; }
  auth::CredentialStore& credentials() override { return credentials_; }
  jobs::Housekeeping& housekeeping() override { return housekeeping_; }
  jobs::Storage& storage() override { return storage_; }
  std::optional<Error> refusal() const override { return writer_.refusal(); }
  std::size_t waiting_changes() const override { return writer_.waiting(); }

 private:
  WriterHooks hooks() {
    WriterHooks hooks;
    hooks.told = [this](std::span<const jobs::Event> events) { events_.tell(events); };
    hooks.reload = [this](sqlite::Connection& database, bool within) { live_.load(database, within); };
    hooks.begun = [this](Transaction& transaction) { live_.step_lists(transaction); };
    hooks.committed = [this] { live_.committed(); };
    hooks.has_unfiled = [this] { return live_.has_unfiled(); };
    hooks.must_file = [this] { return live_.must_file(); };
    hooks.file = [this](Transaction& transaction) { live_.file(transaction); };
    return hooks;
  }

  const FileDescriptor lock_;  // let go last
  Readers readers_;
  Lists lists_;
  LiveJobs live_;
  SqliteEventLog events_;  // the writer tells it until it is gone
  Writer writer_;
  SqliteJobStore jobs_;
  SqliteJobQueries queries_;
  SqliteNotificationStore notifications_;
  SqliteWebhookStore webhooks_;
  SqliteScheduleStore schedules_;
  SqliteCredentialStore credentials_;
  SqliteHousekeeping housekeeping_;
  SqliteStorage storage_;
};

/// Brings what an older version has written to the newest form, and says so: a large database takes minutes.
void bring_up_to_date(sqlite::Connection& connection) {
  const auto version = version_of(connection);
  if (version == 0 || version >= newest_version()) {
    migrate(connection);
    return;
  }
  log::info("store", "bringing the database from version {} to {}; with millions of jobs this takes minutes", version,
            newest_version());
  const auto begun = std::chrono::steady_clock::now();
  migrate(connection);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  log::info("store", "the database has version {} now, after {:.1f} s", newest_version(), took.count());
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file, const StoreOptions& options,
                                           const Clock& clock, Rng& rng) {
  auto lock = lock_out_others(file);
  if (!lock) return lock.error();
  if (const auto made = make_private(file); !made) return made.error();
  try {
    sqlite::Connection connection(file, sqlite::Access::read_write);
    if (auto newer = newer_version(connection, file)) return *newer;
    bring_up_to_date(connection);
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(file, options, clock, rng, std::move(*lock), connection));
  } catch (const sqlite::Failure& error) {
    return database_error(file, error);
  }
}

}  // namespace rushes::store_sqlite
