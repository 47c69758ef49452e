#pragma once
#include "auth/credential_store.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "jobs/event.h"
#include "jobs/housekeeping.h"
#include "jobs/job_queries.h"
#include "jobs/job_store.h"
#include "jobs/storage.h"
#include "notifications/notification_store.h"
#include "schedules/schedule_store.h"
#include "webhooks/webhook_store.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace rushes::store_sqlite {

struct StoreOptions {
  int parallel_jobs = 3;     // for estimates of the wait
  int transcript_slots = 0;  // beside them, for transcripts alone
  std::size_t readers = 2;
  std::size_t list_batch = 50'000;  // rows that are remembered until they are listed; see user_list.h
  bool reserve_log = false;         // 36 MiB on the disk from the start, for quicker commits
  /// Bytes of the database that the writer keeps in memory, so that it finds the indices' pages where it left them;
  /// the readers keep 4 MiB each, or this where it is less.
  std::size_t page_cache = std::size_t{64} << 20U;
};

/// All stores in one SQLite file: one writer with group commit, readers beside it.
///
/// Threads:  its stores are thread-safe.
/// Lifetime: clock and rng outlive it; nothing of it is under way when it is destroyed.
class Store {
 public:
  /// Opens or makes the database, brings it to the newest form, and keeps other servers out.
  /// Errors: `conflict` where another server uses it or a newer Rushes wrote it; `unavailable`.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file, const StoreOptions& options,
                                             const Clock& clock, Rng& rng);
  virtual ~Store() = default;

  virtual jobs::JobStore& jobs() = 0;
  virtual jobs::JobQueries& queries() = 0;
  virtual jobs::EventLog& events() = 0;
  virtual notifications::NotificationStore& notifications() = 0;
  virtual webhooks::WebhookStore& webhooks() = 0;
  virtual schedules::ScheduleStore& schedules() = 0;
  virtual auth::CredentialStore& credentials() = 0;
  virtual jobs::Housekeeping& housekeeping() = 0;
  virtual jobs::Storage& storage() = 0;

  /// Why the disk takes nothing at the moment; nothing where it does. It is tried again each second. Threads: any.
  virtual std::optional<Error> refusal() const = 0;

  /// How many changes wait for their turn at the disk. Threads: any.
  virtual std::size_t waiting_changes() const = 0;
};

}  // namespace rushes::store_sqlite
