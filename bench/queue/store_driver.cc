#include "queue/store_driver.h"

#include "realtime/load/process.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace rushes::bench {
namespace {

/// Words, so that a compressing disk has something to do as with a real transcript.
std::string transcript(std::size_t bytes) {
  static constexpr std::string_view kWords =
      "So what we look at today is a queue that people can watch: each job says where it stands, what is done with it "
      "right now and how long it will take, and nothing of that is lost when the power goes. ";
  std::string text;
  while (text.size() < bytes) text += kWords;
  text.resize(bytes);
  return text;
}

Task<> submit_in_bulk(StoreUnderTest& store, JobMaker& maker, std::int64_t count) {
  constexpr std::int64_t kAtOnce = 1000;
  StatusLine status;
  for (std::int64_t done = 0; done < count; done += kAtOnce) {
    auto jobs = maker.next(static_cast<std::size_t>(std::min(kAtOnce, count - done)));
    const auto submitted = co_await store.jobs().submit_all(std::move(jobs), kAnyNumber);
    require(submitted, "submit_all");
    status.show("filling the queue", done, count);
  }
}

}  // namespace

void run_together(std::vector<Task<>> tasks) {
  asio::io_context loop(1);
  std::exception_ptr failed;
  for (auto& task : tasks) {
    asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& error) {
      if (error && !failed) failed = error;
    });
  }
  loop.run();
  if (failed) std::rethrow_exception(failed);
}

StatusLine::~StatusLine() {
  if (shown_at_ != 0) std::fputs("\r\033[K", stderr);
}

void StatusLine::show(std::string_view what, std::int64_t done, std::int64_t of) {
  const auto now = monotonic_ns();
  if (now - shown_at_ < 100'000'000U) return;
  shown_at_ = now;
  std::fprintf(stderr, "\r\033[K%.*s: %lld of %lld", static_cast<int>(what.size()), what.data(),
               static_cast<long long>(done), static_cast<long long>(of));
}

ScratchFolder::ScratchFolder(const std::filesystem::path& parent) {
  auto name = (parent / "rushes-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make the folder " + name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

JobMaker::JobMaker(int users, std::size_t body_bytes)
    : users_(users),
      input_(json::serialize(
          json::object{{"configuration", {{"language", "en"}, {"tone", "dry"}}}, {"size", body_bytes}})),
      body_(transcript(body_bytes)) {}

jobs::NewJob JobMaker::next() {
  jobs::NewJob job;
  job.id = JobId(new_uuid(clock_, rng_));
  job.user = UserId("user" + std::to_string(made_++ % users_));
  job.type = jobs::JobType::transcript;
  job.input = input_;
  job.body = body_;
  return job;
}

std::vector<jobs::NewJob> JobMaker::next(std::size_t count) {
  std::vector<jobs::NewJob> jobs(count);
  for (auto& job : jobs) job = next();
  return jobs;
}

std::vector<jobs::NewJob> JobMaker::next_request(std::size_t count) {
  auto jobs = next(count);
  for (auto& job : jobs) job.user = jobs.front().user;
  return jobs;
}

StoreUnderTest::StoreUnderTest(const std::filesystem::path& file) {
  auto opened = store_sqlite::Store::open(file, store_sqlite::StoreOptions{.reserve_log = true}, clock_, rng_);
  require(opened, "open " + file.string());
  store_ = std::move(*opened);
  store_->events().on_committed([this](std::span<const jobs::Event> events) {
    heard_ += events.size();
    heard_progress_ +=
        static_cast<std::uint64_t>(std::count_if(events.begin(), events.end(), [](const jobs::Event& event) {
          return event.type == jobs::EventType::progress;
        }));
  });
}

void fill_queue(StoreUnderTest& store, JobMaker& maker, std::int64_t count) {
  std::vector<Task<>> one;
  one.push_back(submit_in_bulk(store, maker, count));
  run_together(std::move(one));
}

jobs::Completion nothing_much(const Clock& clock, Rng& rng) {
  return {AuditId(new_uuid(clock, rng)), "Nothing", {{"summary", "Nothing was done."}}};
}

}  // namespace rushes::bench
