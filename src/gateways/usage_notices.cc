#include "gateways/usage_notices.h"

#include "base/log.h"
#include "base/text.h"

#include <boost/asio/post.hpp>

namespace rushes::gateways {

notifications::NewNotification usage_notice(const jobs::UsageStep& step, std::int64_t quota) {
  const auto size = [](std::int64_t bytes) { return to_human_size(static_cast<std::uint64_t>(bytes)); };
  const bool full = step.percent >= 100;
  notifications::NewNotification notice;
  notice.user = step.user;
  notice.type = notifications::Type::usage;
  notice.severity = full ? notifications::Severity::error : notifications::Severity::warning;
  notice.title = full ? "Storage full" : "Storage almost full";
  notice.message = "You use " + size(step.bytes.all()) + " of " + size(quota) + ": " + size(step.bytes.uploads) +
                   " by uploaded files, " + size(step.bytes.results) +
                   " by saved analyses. Uploaded files of ended jobs make room by themselves, the oldest first; delete "
                   "analyses that you do not need.";
  notice.metadata = {{"percent", step.percent}, {"used", step.bytes.all()}, {"limit", quota}};
  return notice;
}

void UsageNotices::tell(jobs::UsageStep step) {
  asio::post(executor_, [this, notice = usage_notice(step, quota_)]() mutable {
    if (auto pass = gate_.try_enter()) spawn_detached(executor_, "usage", send(std::move(notice), std::move(*pass)));
  });
}

Task<> UsageNotices::send(notifications::NewNotification notice, Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto added = co_await service_.add(std::move(notice));
  if (!added) log::warning("usage", "cannot store a notification: {}", added.error().what());
}

}  // namespace rushes::gateways
