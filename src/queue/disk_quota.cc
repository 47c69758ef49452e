#include "queue/disk_quota.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>

namespace rushes::queue {
namespace {

constexpr int kLookedAt = 1'000;  // uploads, to find those that make room
constexpr int kAtOnce = 100;      // removed in one transaction

std::string size_of(std::int64_t bytes) {
  return to_human_size(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0)));
}

}  // namespace

DiskQuota::DiskQuota(jobs::Storage& storage, const DataFolder& folder, BlockingPool& blocking, const Clock& clock,
                     QuotaOptions options)
    : storage_(storage), folder_(folder), blocking_(blocking), clock_(clock), options_(options) {}

DiskQuota::Reservation::~Reservation() {
  const std::lock_guard lock(quota_.mutex_);
  quota_.reserved_in_all_ -= bytes_;
  quota_.unwritten_ -= bytes_ - written_;
  const auto own = quota_.reserved_.find(user_);
  if (own != quota_.reserved_.end() && (own->second -= bytes_) == 0) quota_.reserved_.erase(own);
}

void DiskQuota::Reservation::wrote(std::uint64_t bytes) {
  const auto counted = std::min(bytes, bytes_ - written_);
  written_ += counted;
  const std::lock_guard lock(quota_.mutex_);
  quota_.unwritten_ -= counted;
}

Task<Result<void>> DiskQuota::reserve(Reservation& reservation, std::uint64_t more) {
  std::uint64_t own = 0;
  std::uint64_t of_user = 0;
  std::uint64_t unwritten = 0;
  {
    // Before anything is asked, so that of two who come at once each sees the other.
    const std::lock_guard lock(mutex_);
    unwritten = unwritten_;
    own = reservation.bytes_ += more;
    reserved_in_all_ += more;
    unwritten_ += more;
    of_user = reserved_[reservation.user_] += more;
  }
  auto fits = co_await check_quota(reservation.user_, own, of_user - own);
  if (fits) fits = co_await check_disk(more, unwritten);
  if (fits) co_return fits;
  const std::lock_guard lock(mutex_);
  reservation.bytes_ -= more;
  reserved_in_all_ -= more;
  unwritten_ -= more;
  const auto entry = reserved_.find(reservation.user_);
  if ((entry->second -= more) == 0) reserved_.erase(entry);
  co_return fits;
}

Task<Result<void>> DiskQuota::check_quota(UserId user, std::uint64_t own, std::uint64_t others) {
  const auto quota = options_.max_bytes_per_user;
  if (quota == 0) co_return Result<void>();
  // What another upload has reserved is counted although it may be stored by now: rather twice than not at all.
  const auto stored = co_await storage_.bytes_of(user);
  if (!stored) co_return stored.error();
  const auto wanted = static_cast<std::uint64_t>(stored->all()) + own + others;
  const auto least = std::max<std::uint64_t>(own, 1) - own;  // some, where none is named
  if (wanted + least <= quota) co_return Result<void>();
  const bool made = co_await make_room(user, wanted + least - quota);
  if (made) co_return Result<void>();
  counts_.refused.add(1);
  auto refused = refusal(*stored, own, others);
  auto full = co_await storage_.take_full_step(user);
  if (full && *full) tell_(std::move(**full));
  co_return refused;
}

Error DiskQuota::refusal(const jobs::StoredBytes& stored, std::uint64_t own, std::uint64_t others) const {
  const auto quota = options_.max_bytes_per_user;
  const auto limit = to_human_size(quota);
  if (own > quota) {
    return Error::for_user(Errc::too_large, "QUOTA_EXCEEDED",
                           "The upload of " + to_human_size(own) + " is larger than the " + limit +
                               " that this server keeps for one user. Send a smaller file.");
  }
  const auto what = own == 0 ? "The result of a job" : "The upload of " + to_human_size(own);
  auto text = what + " does not fit: of your " + limit + ", " + size_of(stored.uploads) + " are used by uploads, " +
              size_of(stored.results) + " by saved analyses and " + to_human_size(others) +
              " by other uploads on their way. ";
  // Uploads of ended jobs have been looked at: those that are left belong to unfinished jobs, and go when these end.
  if (static_cast<std::uint64_t>(stored.results) + std::max<std::uint64_t>(own, 1) <= quota) {
    return Error::for_user(Errc::exhausted, "QUOTA_EXCEEDED",
                           text + "Wait until your jobs have ended, or cancel some.");
  }
  return Error::for_user(Errc::too_large, "QUOTA_EXCEEDED", text + "Delete saved analyses that you do not need.");
}

Task<Result<void>> DiskQuota::check_disk(std::uint64_t more, std::uint64_t others) {
  auto room = folder_.has_room(more, others);
  if (room || room.error().public_name() != "DISK_FULL") co_return room;
  const auto free = folder_.free_bytes();
  const auto missing = more + others + DataFolder::kRoom > free ? more + others + DataFolder::kRoom - free : 0;
  const bool made = co_await make_room(std::nullopt, missing);
  if (made) room = folder_.has_room(more, others);
  if (!room) counts_.no_room.add(1);
  co_return room;
}

Task<bool> DiskQuota::make_room(std::optional<UserId> user, std::uint64_t bytes) {
  jobs::EndedUploads wanted;
  wanted.keep = options_.keep;
  wanted.user = std::move(user);
  wanted.limit = kLookedAt;
  const auto ended = co_await storage_.ended_uploads(std::move(wanted));
  if (!ended) co_return false;
  std::vector<JobId> chosen;
  std::uint64_t sum = 0;
  for (const auto& upload : *ended) {
    if (sum >= bytes) break;
    chosen.push_back(upload.upload);
    sum += static_cast<std::uint64_t>(upload.bytes);
  }
  if (sum < bytes) co_return false;
  const auto expected = chosen.size();
  const auto removed = co_await remove(std::move(chosen));
  counts_.evicted.add(removed);
  if (removed > 0) log::info("quota", "removed {} uploads of ended jobs early: room was short", removed);
  co_return removed == expected;  // a retry may have begun meanwhile
}

Task<std::size_t> DiskQuota::remove(std::vector<JobId> uploads) {
  const auto removed = co_await storage_.remove_uploads(std::move(uploads));
  if (!removed) {
    log::warning("quota", "cannot remove uploads now: {}", removed.error().what());
    co_return 0;
  }
  // A crash before this leaves files that nothing refers to: the housekeeper's.
  auto work = [this, &removed] {
    for (const auto& upload : *removed) folder_.remove_upload(upload);
  };
  co_await blocking_.run(std::move(work));
  co_return removed->size();
}

Task<Result<void>> DiskQuota::check_left(UserId user) {
  {
    const std::lock_guard lock(mutex_);
    if (!full_.contains(user)) co_return Result<void>();
  }
  auto left = co_await check_quota(user, 0, 0);
  const std::lock_guard lock(mutex_);
  if (left) full_.erase(user);
  co_return left;
}

Task<> DiskQuota::look() {
  if (options_.max_bytes_per_user == 0) co_return;
  const auto users = co_await storage_.full_users(static_cast<std::int64_t>(options_.max_bytes_per_user));
  if (!users) co_return;
  const std::lock_guard lock(mutex_);
  full_ = {users->begin(), users->end()};
}

Task<> DiskQuota::remove_expired() {
  std::size_t count = 0;
  for (;;) {
    jobs::EndedUploads wanted;
    wanted.keep = options_.keep;
    wanted.expired_at = clock_.now();
    wanted.limit = kAtOnce;
    const auto expired = co_await storage_.ended_uploads(std::move(wanted));
    if (!expired || expired->empty()) break;
    std::vector<JobId> uploads;
    for (const auto& upload : *expired) uploads.push_back(upload.upload);
    const auto removed = co_await remove(std::move(uploads));
    count += removed;
    if (removed == 0) break;
  }
  counts_.expired.add(count);
  if (count > 0) log::info("quota", "removed {} uploads whose time had come", count);
}

Task<> DiskQuota::tell_steps(std::optional<UserId> user) {
  if (options_.max_bytes_per_user == 0) co_return;
  auto steps =
      co_await storage_.take_usage_steps(static_cast<std::int64_t>(options_.max_bytes_per_user), std::move(user));
  if (!steps) co_return;
  for (auto& step : *steps) tell_(std::move(step));
}

Task<Result<Usage>> DiskQuota::usage(UserId user) {
  Usage usage;
  {
    const std::lock_guard lock(mutex_);
    const auto own = reserved_.find(user);
    if (own != reserved_.end()) usage.reserved = own->second;
  }
  const auto stored = co_await storage_.bytes_of(std::move(user));
  if (!stored) co_return stored.error();
  usage.stored = *stored;
  co_return usage;
}

std::uint64_t DiskQuota::reserved() const {
  const std::lock_guard lock(mutex_);
  return reserved_in_all_;
}

Task<Result<std::optional<Timestamp>>> DiskQuota::kept_until(JobId upload) {
  return storage_.kept_until(std::move(upload), options_.keep);
}

}  // namespace rushes::queue
