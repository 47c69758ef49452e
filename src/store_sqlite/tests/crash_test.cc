#include "async/run.h"
#include "base/id.h"
#include "sqlite/connection.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>

namespace rushes::store_sqlite {
namespace {

/// What the child was told, one line each, written at once so that a kill leaves no half of it behind.
void say(int pipe, char what, const std::string& id) {
  const auto line = what + (" " + id) + "\n";
  if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

void work(Store& store, const Clock& clock, Rng& rng, int pipe, const std::string& user) {
  for (;;) {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock, rng));
    job.user = UserId(user);
    job.body = std::string(3000, 'x');
    job.max_attempts = 1;
    if (!run_to_end(store.jobs().submit(job, 1'000'000))) ::_exit(4);
    say(pipe, 'S', job.id.value());
    for (const auto& claimed : run_to_end(store.jobs().claim(jobs::ClaimRequest())).value()) {
      jobs::Completion completion;
      completion.audit = AuditId(new_uuid(clock, rng));
      if (!run_to_end(store.jobs().report(claimed.lease, jobs::ProgressReport{50, "s", "m", "t"}))) ::_exit(5);
      if (!run_to_end(store.jobs().complete(claimed.lease, completion))) ::_exit(6);
      say(pipe, 'C', claimed.lease.job.value());
    }
  }
}

/// A server that takes over what the one before left, and works until it is killed.
[[noreturn]] void serve(const std::filesystem::path& file, int pipe) {
  const SystemClock clock;
  SystemRng rng;
  auto store = Store::open(file, StoreOptions(), clock, rng);
  if (!store) ::_exit(2);
  (*store)->events().on_committed([pipe](std::span<const jobs::Event> events) {
    for (const auto& event : events) {
      if (event.type != jobs::EventType::progress) say(pipe, 'E', std::to_string(event.id));
    }
  });
  run_to_end((*store)->jobs().take_over(true)).value();
  std::thread other([&] { work(**store, clock, rng, pipe, "ann"); });
  work(**store, clock, rng, pipe, "bob");
  ::_exit(7);
}

struct Acknowledged {
  std::set<std::string> submitted;
  std::set<std::string> completed;
  std::set<std::int64_t> events;
};

/// Runs a server for `lifetime`, kills it, and adds what it had acknowledged.
void run_and_kill(const std::filesystem::path& file, std::chrono::microseconds lifetime, Acknowledged& acknowledged) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(ends[0]);
    serve(file, ends[1]);
  }
  ::close(ends[1]);
  std::string said;
  std::thread reader([&] {
    std::array<char, 65536> bytes{};
    for (ssize_t n = 0; (n = ::read(ends[0], bytes.data(), bytes.size())) > 0;) {
      said.append(bytes.data(), static_cast<std::size_t>(n));
    }
  });
  std::this_thread::sleep_for(lifetime);  // the moment of the kill, not a wait for something
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  reader.join();
  ::close(ends[0]);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the server ended by itself: " << WEXITSTATUS(status);

  std::istringstream lines(said);
  char what = 0;
  for (std::string id; lines >> what >> id;) {
    if (what == 'S') acknowledged.submitted.insert(id);
    if (what == 'C') acknowledged.completed.insert(id);
    if (what == 'E') acknowledged.events.insert(std::stoll(id));
  }
}

void check(const std::filesystem::path& file, const Acknowledged& acknowledged) {
  const SystemClock clock;
  SystemRng rng;
  const auto store = Store::open(file, StoreOptions(), clock, rng).value();
  {
    sqlite::Connection connection(file, sqlite::Access::read_only);
    auto& row = connection.statement("PRAGMA integrity_check");
    ASSERT_TRUE(row.next());
    EXPECT_EQ(row.text(0), "ok");
  }
  std::set<std::string> found;
  std::set<std::string> completed;
  std::set<std::int64_t> events;
  for (const auto* user : {"ann", "bob"}) {
    std::int64_t seq = 0;
    std::map<JobId, int> ends;
    for (const auto& event : run_to_end(store->events().of_user_after(UserId(user), 0, 10'000'000)).value()) {
      ASSERT_GT(event.seq, std::exchange(seq, event.seq)) << "told to " << user << " in another order";
      events.insert(event.id);
      if (event.type == jobs::EventType::queued) found.insert(event.job.value());
      if (event.type == jobs::EventType::completed) {
        completed.insert(event.job.value());
        EXPECT_EQ(++ends[event.job], 1);
      }
    }
  }
  const auto holds = [](const auto& all, const auto& some) {
    return std::includes(all.begin(), all.end(), some.begin(), some.end());
  };
  EXPECT_TRUE(holds(found, acknowledged.submitted));
  EXPECT_TRUE(holds(completed, acknowledged.completed));
  EXPECT_TRUE(holds(events, acknowledged.events)) << "somebody was told what did not happen";

  sqlite::Connection connection(file, sqlite::Access::read_only);
  for (const auto& id : acknowledged.submitted) {
    auto& row = connection.statement(
        "SELECT state, (SELECT count(*) FROM analyses WHERE job_id = jobs.id),"
        " body IS NOT NULL FROM jobs WHERE id = ?");
    ASSERT_TRUE(row.bind(id).next()) << id;
    const bool done = row.integer(0) == static_cast<int>(jobs::JobState::completed);
    EXPECT_EQ(done, completed.contains(id));
    EXPECT_EQ(row.integer(1), done ? 1 : 0);
    EXPECT_EQ(row.integer(2), 1);
    row.reset();
  }
}

TEST(Crash, NothingAcknowledgedIsLostWhenTheServerIsKilled) {
  const TemporaryFolder folder;
  SystemRng rng;
  Acknowledged acknowledged;
  for (int kill = 0; kill < 30; ++kill) {
    const std::chrono::microseconds lifetime(rng.next_u64() % 120'000);
    run_and_kill(folder.database(), lifetime, acknowledged);
    if (HasFatalFailure()) return;
    if (kill % 5 == 4) check(folder.database(), acknowledged);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(acknowledged.submitted.size(), 30U);
  EXPECT_GT(acknowledged.completed.size(), 30U);
  RecordProperty("submitted", static_cast<int>(acknowledged.submitted.size()));
}

}  // namespace
}  // namespace rushes::store_sqlite
