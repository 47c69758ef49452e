#include "async/run.h"
#include "auth/testing/credential_store_contract.h"
#include "jobs/testing/job_store_contract.h"
#include "notifications/testing/notification_store_contract.h"
#include "schedules/testing/schedule_store_contract.h"
#include "store_sqlite/tests/temporary_store.h"
#include "webhooks/testing/webhook_store_contract.h"

namespace rushes {
namespace {

class Jobs final : public jobs::OpenStores {
 public:
  Jobs(const Clock& clock, std::size_t list_batch) : store_(clock, {.list_batch = list_batch}) {}
  jobs::JobStore& jobs() override { return store_->jobs(); }
  jobs::JobQueries& queries() override { return store_->queries(); }
  jobs::EventLog& events() override { return store_->events(); }
  jobs::Housekeeping& housekeeping() override { return store_->housekeeping(); }
  jobs::Storage& storage() override { return store_->storage(); }
  void follow_log() override {
    std::optional<notifications::NewNotification> none;
    constexpr std::int64_t kAll = 1'000'000'000;
    (void)run_to_end(store_->notifications().consume(kAll, none)).value();
    (void)run_to_end(store_->webhooks().consume({}, kAll)).value();
  }

 private:
  store_sqlite::TemporaryStore store_;
};

class Inboxes final : public notifications::OpenInboxes {
 public:
  explicit Inboxes(const Clock& clock) : store_(clock) {}
  notifications::NotificationStore& notifications() override { return store_->notifications(); }
  void reopen() override { store_.reopen(); }

 private:
  store_sqlite::TemporaryStore store_;
};

class Hooks final : public webhooks::OpenWebhooks {
 public:
  explicit Hooks(const Clock& clock) : store_(clock) {}
  webhooks::WebhookStore& webhooks() override { return store_->webhooks(); }
  void reopen() override { store_.reopen(); }

 private:
  store_sqlite::TemporaryStore store_;
};

class Schedules final : public schedules::OpenSchedules {
 public:
  explicit Schedules(const Clock& clock) : store_(clock) {}
  schedules::ScheduleStore& schedules() override { return store_->schedules(); }
  void reopen() override { store_.reopen(); }

 private:
  store_sqlite::TemporaryStore store_;
};

class Credentials final : public auth::OpenCredentials {
 public:
  explicit Credentials(const Clock& clock) : store_(clock) {}
  auth::CredentialStore& credentials() override { return store_->credentials(); }
  void reopen() override { store_.reopen(); }

 private:
  store_sqlite::TemporaryStore store_;
};

}  // namespace

namespace jobs {
INSTANTIATE_TEST_SUITE_P(
    Sqlite, JobStoreContract,
    ::testing::Values(StoreBackend{"sqlite", [](FakeClock& clock) { return std::make_unique<Jobs>(clock, 50'000); }},
                      // Rows come from the users' lists as often as from memory.
                      StoreBackend{"listing", [](FakeClock& clock) { return std::make_unique<Jobs>(clock, 3); }}));
INSTANTIATE_TEST_SUITE_P(Sqlite, StorageContract,
                         ::testing::Values(StoreBackend{
                             "sqlite", [](FakeClock& clock) { return std::make_unique<Jobs>(clock, 50'000); }}));
}  // namespace jobs

namespace notifications {
INSTANTIATE_TEST_SUITE_P(Sqlite, NotificationStoreContract,
                         ::testing::Values(InboxBackend{
                             "sqlite", [](FakeClock& clock) { return std::make_unique<Inboxes>(clock); }}));
}  // namespace notifications

namespace webhooks {
INSTANTIATE_TEST_SUITE_P(Sqlite, WebhookStoreContract,
                         ::testing::Values(WebhookBackend{
                             "sqlite", [](FakeClock& clock) { return std::make_unique<Hooks>(clock); }}));
}  // namespace webhooks

namespace schedules {
INSTANTIATE_TEST_SUITE_P(Sqlite, ScheduleStoreContract,
                         ::testing::Values(ScheduleBackend{
                             "sqlite", [](FakeClock& clock) { return std::make_unique<Schedules>(clock); }}));
}  // namespace schedules

namespace auth {
INSTANTIATE_TEST_SUITE_P(Sqlite, CredentialStoreContract,
                         ::testing::Values(CredentialBackend{
                             "sqlite", [](FakeClock& clock) { return std::make_unique<Credentials>(clock); }}));
}  // namespace auth

}  // namespace rushes
