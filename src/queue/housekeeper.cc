#include "queue/housekeeper.h"

#include "base/log.h"

#include <boost/asio/redirect_error.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <iterator>

namespace rushes::queue {
namespace fs = std::filesystem;
namespace {

// Between steps, so that the writer is others' for most of the time.
constexpr std::chrono::milliseconds kPause{20};
constexpr std::chrono::seconds kSettled{3'600};
constexpr std::size_t kNamesAtOnce = 500;
constexpr std::size_t kUuid = 36;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) names.insert(entry.path().filename().string());
  return names;
}

/// When something in the folder last changed, or it moved.
std::int64_t changed_at(const fs::path& path) {
  const auto of_one = [](const fs::path& one) -> std::int64_t {
    struct ::stat info {};
    return ::lstat(one.c_str(), &info) == 0 ? std::max(info.st_mtim.tv_sec, info.st_ctim.tv_sec) : 0;
  };
  auto last = of_one(path);
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(path, failed)) last = std::max(last, of_one(entry.path()));
  return last;
}

/// Gives how many are gone.
std::size_t remove_all(const std::vector<fs::path>& paths) {
  std::size_t removed = 0;
  for (const auto& path : paths) {
    std::error_code failed;
    fs::remove_all(path, failed);
    if (failed) log::warning("housekeeping", "cannot remove {}: {}", path.string(), failed.message());
    removed += failed ? 0 : 1;
  }
  return removed;
}

}  // namespace

Housekeeper::Housekeeper(Executor executor, jobs::Housekeeping& store, DiskQuota& quota, const DataFolder& folder,
                         BlockingPool& blocking, const Clock& clock, Retention retention)
    : executor_(executor),
      store_(store),
      quota_(quota),
      folder_(folder),
      blocking_(blocking),
      clock_(clock),
      retention_(retention),
      gate_(executor),
      timer_(executor),
      uploads_{names_in(folder.uploads()), {}},
      files_{names_in(folder.all_files()), {}} {}

void Housekeeper::start() {
  if (auto pass = gate_.try_enter()) spawn_detached(executor_, "housekeeping", loop(std::move(*pass)));
}

Task<> Housekeeper::stop() {
  stopping_ = true;
  timer_.cancel();
  co_await gate_.close();
}

Task<> Housekeeper::loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!stopping_) {
    co_await tidy();
    for (auto left = retention_.every; left.count() > 0 && !stopping_; left -= retention_.uploads_every) {
      co_await pause(retention_.uploads_every);
      if (stopping_) break;
      co_await quota_.remove_expired();
      co_await quota_.look();
      co_await quota_.tell_steps();
    }
  }
}

Task<> Housekeeper::tidy() {
  using Store = jobs::Housekeeping;
  co_await sweep("positions", &Store::remove_positions, retention_.positions, 0, counts_.events);
  co_await sweep("events", &Store::remove_events, retention_.events, retention_.max_events, counts_.events);
  co_await sweep("jobs", &Store::remove_jobs, retention_.jobs, retention_.max_jobs, counts_.jobs);
  co_await sweep("analyses", &Store::remove_analyses, retention_.analyses, 0, counts_.analyses);
  co_await quota_.remove_expired();
  co_await quota_.look();
  co_await tidy_uploads();
  co_await tidy_files();
}

Task<> Housekeeper::sweep(const char* what, Step step, std::chrono::seconds keep, std::int64_t most, Counter& removed) {
  if (keep.count() == 0 && most == 0) co_return;
  jobs::SweepOrder order;
  order.before = keep.count() == 0 ? from_millis(0) : clock_.now() - keep;
  order.most = most;
  jobs::SweepPlace place;
  std::uint64_t count = 0;
  while (!stopping_) {
    const auto swept = co_await (store_.*step)(order, place);
    if (!swept) {
      log::warning("housekeeping", "cannot remove old {} now: {}", what, swept.error().what());
      break;
    }
    count += static_cast<std::uint64_t>(swept->removed);
    removed.add(static_cast<std::uint64_t>(swept->removed));
    if (swept->done) break;
    place = swept->next;
    co_await pause(kPause);
  }
  if (count > 0) log::info("housekeeping", "removed {} old {}", count, what);
}

Task<> Housekeeper::tidy_uploads() {
  auto list = [folder = folder_.uploads()] { return names_in(folder); };
  const auto names = co_await blocking_.run(std::move(list));
  Names orphans;
  std::vector<JobId> asked;
  for (auto name = names.begin(); name != names.end() && !stopping_;) {
    asked.clear();
    for (; name != names.end() && asked.size() < kNamesAtOnce; ++name) asked.emplace_back(*name);
    const auto unneeded = co_await store_.unneeded(asked);
    if (!unneeded) co_return;
    for (const auto& upload : *unneeded) orphans.insert(upload.value());
    co_await pause(kPause);
  }
  auto folder = folder_.uploads();
  co_await remove(std::move(folder), std::move(orphans), uploads_, counts_.uploads);
}

Task<> Housekeeper::tidy_files() {
  auto list = [folder = folder_.all_files()] { return names_in(folder); };
  const auto names = co_await blocking_.run(std::move(list));
  Names orphans;
  std::vector<AuditId> asked;
  for (auto first = names.begin(); first != names.end() && !stopping_;) {
    asked.clear();
    auto last = first;
    for (; last != names.end() && asked.size() < kNamesAtOnce; ++last) asked.emplace_back(last->substr(0, kUuid));
    const auto unsaved = co_await store_.unsaved(asked);
    if (!unsaved) co_return;
    std::set<std::string> gone;
    for (const auto& audit : *unsaved) gone.insert(audit.value());
    const auto is_gone = [&gone](const std::string& name) { return gone.contains(name.substr(0, kUuid)); };
    std::copy_if(first, last, std::inserter(orphans, orphans.end()), is_gone);
    first = last;
    co_await pause(kPause);
  }
  auto folder = folder_.all_files();
  co_await remove(std::move(folder), std::move(orphans), files_, counts_.files);
}

Task<> Housekeeper::remove(fs::path folder, Names orphans, Suspects& suspects, Counter& removed) {
  if (stopping_) co_return;
  const auto settled = to_millis(clock_.now() - kSettled) / 1'000;
  auto work = [&folder, &orphans, &suspects, settled] {
    std::vector<fs::path> certain;
    for (const auto& name : orphans) {
      const bool old = suspects.seen.contains(name) && changed_at(folder / name) <= settled;
      if (old || suspects.left.contains(name)) certain.push_back(folder / name);
    }
    return remove_all(certain);
  };
  const auto count = co_await blocking_.run(std::move(work));
  removed.add(count);
  if (count > 0) log::info("housekeeping", "removed {} folders of {} that nothing refers to", count, folder.string());
  suspects.seen = std::move(orphans);
}

Task<> Housekeeper::pause(std::chrono::milliseconds length) {
  if (stopping_) co_return;
  timer_.expires_after(length);
  boost::system::error_code woken;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace rushes::queue
