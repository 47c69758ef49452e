#pragma once
#include "base/clock.h"
#include "base/random.h"
#include "jobs/event.h"
#include "jobs/housekeeping.h"
#include "jobs/job_queries.h"
#include "jobs/job_store.h"
#include "jobs/storage.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

namespace rushes::jobs {

/// The stores of one database, open.
class OpenStores {
 public:
  virtual ~OpenStores() = default;
  virtual JobStore& jobs() = 0;
  virtual JobQueries& queries() = 0;
  virtual EventLog& events() = 0;
  virtual Housekeeping& housekeeping() = 0;
  virtual Storage& storage() = 0;
  /// The notices and the webhooks follow the whole log.
  virtual void follow_log() = 0;
};

/// One implementation, for the suite to run over.
struct StoreBackend {
  std::string name;
  /// Opens a database of its own, empty, for three parallel jobs. The clock outlives it.
  std::function<std::unique_ptr<OpenStores>(FakeClock& clock)> open;
};
inline void PrintTo(const StoreBackend& backend, std::ostream* out) { *out << backend.name; }

/// What job_store.h, job_queries.h and event.h promise, for every implementation alike:
/// `INSTANTIATE_TEST_SUITE_P(Sqlite, JobStoreContract, ::testing::Values(StoreBackend{…}))`.
class JobStoreContract : public ::testing::TestWithParam<StoreBackend> {
 protected:
  static constexpr int kNoLimit = 1'000'000;

  JobStoreContract();
  ~JobStoreContract() override;

  NewJob request(const std::string& user);
  Job submit(const std::string& user);
  /// Claims the next job, which must be there.
  Claimed claim();
  std::vector<Claimed> claim_up_to(int limit);
  /// Submits a job and claims it; no other may be waiting.
  Claimed begin(const std::string& user);
  Completion completion(const std::string& title = "A title");
  void complete(const Claimed& claimed, const std::string& title = "A title");
  Job find(const Job& job);
  Errc find_error(const std::string& user, const JobId& job);

  std::vector<Event> events_of(const std::string& user);
  std::vector<Event> events_of_job(const Job& job);
  /// The last payload of the job's owner, which must be about this job.
  json::object last_payload(const Job& job);
  /// `queued started completed`, of one job.
  std::string told_of(const Job& job);
  /// What the listener has heard.
  std::vector<Event> heard();

  JobStore& jobs() { return stores_->jobs(); }
  JobQueries& queries() { return stores_->queries(); }
  EventLog& log() { return stores_->events(); }
  Housekeeping& housekeeping() { return stores_->housekeeping(); }
  Storage& storage() { return stores_->storage(); }
  void follow_log() { stores_->follow_log(); }

  FakeClock clock_;

 private:
  SeededRng rng_{1};
  std::mutex mutex_;
  std::vector<Event> heard_;  // under mutex_
  std::unique_ptr<OpenStores> stores_;
};

/// What storage.h promises, likewise.
class StorageContract : public JobStoreContract {
 protected:
  Job submit_upload(const std::string& user, std::int64_t bytes);
  Job retry(const Job& job);
  void cancel(const Job& job);
  StoredBytes bytes_of(const std::string& user);
  std::vector<JobId> ended(EndedUploads wanted = {});
  std::vector<JobId> expired();
  /// Percents of the steps that are taken.
  std::vector<int> steps(std::int64_t quota);
};

json::object payload_json(const Event& event);
const json::object& metadata_of(const json::object& payload);

/// The value of a result that must be there; ends the test by exception where it is an error.
template <class T>
T must(Result<T> result) {
  return std::move(result.value());
}
inline void must(const Result<void>& result) { result.value(); }

/// The code of an error that must be there.
template <class T>
Errc code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? Errc::internal : result.error().code();
}
template <class T>
std::string name_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result.has_value() ? "" : std::string(result.error().public_name());
}

}  // namespace rushes::jobs
