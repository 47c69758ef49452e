#pragma once
#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "jobs/job_store.h"
#include "store_sqlite/store.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::bench {

/// What a benchmark cannot go on without.
template <class T>
void require(const Result<T>& result, std::string_view what) {
  if (!result) throw std::runtime_error(std::string(what) + ": " + result.error().what());
}

/// Runs the tasks beside each other on an event loop of this thread, until all have ended. An exception in one of them
/// comes out here.
void run_together(std::vector<Task<>> tasks);

/// One line on stderr that says how far a long step is; at most ten a second.
class StatusLine {
 public:
  ~StatusLine();
  void show(std::string_view what, std::int64_t done, std::int64_t of);

 private:
  std::uint64_t shown_at_ = 0;
};

/// A folder that is gone with its owner, inside the given one.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& parent);
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The jobs that a benchmark submits: as `POST /analyze/transcript` makes them, of one user after the other.
class JobMaker {
 public:
  JobMaker(int users, std::size_t body_bytes);
  jobs::NewJob next();
  std::vector<jobs::NewJob> next(std::size_t count);
  /// All of one user, as a request's are.
  std::vector<jobs::NewJob> next_request(std::size_t count);

 private:
  const int users_;
  const std::string input_;
  const std::string body_;
  SystemClock clock_;
  SystemRng rng_;
  std::int64_t made_ = 0;
};

/// The real store, with a listener that counts what it is told.
class StoreUnderTest {
 public:
  explicit StoreUnderTest(const std::filesystem::path& file);

  jobs::JobStore& jobs() { return store_->jobs(); }
  jobs::JobQueries& queries() { return store_->queries(); }
  std::uint64_t heard() const { return heard_; }
  std::uint64_t heard_progress() const { return heard_progress_; }

 private:
  std::atomic<std::uint64_t> heard_{0};
  std::atomic<std::uint64_t> heard_progress_{0};
  SystemClock clock_;
  SystemRng rng_;
  std::unique_ptr<store_sqlite::Store> store_;
};

constexpr int kAnyNumber = 1'000'000'000;  // of unfinished jobs of a user

/// Submits `count` jobs, a thousand in one step, and says how far it is.
void fill_queue(StoreUnderTest& store, JobMaker& maker, std::int64_t count);

/// The least that a pipeline could have made.
jobs::Completion nothing_much(const Clock& clock, Rng& rng);

}  // namespace rushes::bench
