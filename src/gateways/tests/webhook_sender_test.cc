#include "gateways/webhook_sender.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rushes::gateways {
namespace {

using webhooks::DeliveryId;
using webhooks::DueDelivery;
using webhooks::WebhookId;

/// A log in which nothing ever ends.
class NoEvents final : public jobs::EventLog {
 public:
  void on_committed(Listener) override {}
  Task<Result<std::vector<jobs::Event>>> after(std::int64_t, int) override { co_return std::vector<jobs::Event>(); }
  Task<Result<std::vector<jobs::Event>>> of_user_after(UserId, std::int64_t, int) override {
    co_return std::vector<jobs::Event>();
  }
  Task<Result<std::vector<jobs::Event>>> of_job_after(UserId, JobId, std::int64_t, int) override {
    co_return std::vector<jobs::Event>();
  }
  Task<Result<std::int64_t>> seq_at(UserId, std::int64_t) override { co_return std::int64_t{0}; }
  Task<Result<bool>> has(UserId, std::int64_t) override { co_return false; }
  Task<Result<jobs::LogState>> state() override { co_return jobs::LogState(); }
};

/// Deliveries in memory, due at once and in order; its disk may be full. On the sender's executor.
class Deliveries final : public webhooks::WebhookStore {
 public:
  void add(const std::string& id) {
    DueDelivery due;
    due.delivery.id = DeliveryId(id);
    due.delivery.webhook = WebhookId("hook of " + id);
    due.user = UserId("user of " + id);
    due_.push_back(std::move(due));
  }
  void refuse(int records) { refused_ = records; }
  std::future<void> when_asked(int records) {
    awaited_ = records;
    return asked_.get_future();
  }
  const std::vector<Outcome>& recorded() const { return recorded_; }

  Task<Result<webhooks::Turn>> due(Timestamp, webhooks::Share share) override {
    webhooks::Turn turn;
    for (const auto& one : due_) {
      const std::pair lane(one.user, one.delivery.webhook);
      if (std::find(share.busy.begin(), share.busy.end(), lane) != share.busy.end()) continue;
      if (static_cast<int>(turn.due.size()) < share.limit) turn.due.push_back(one);
    }
    co_return turn;
  }
  Task<Result<std::optional<webhooks::Webhook>>> record(DeliveryId id, Outcome outcome) override {
    if (--awaited_ == 0) asked_.set_value();
    if (refused_-- > 0) co_return Error(Errc::unavailable, "no room");
    std::erase_if(due_, [&](const auto& one) { return one.delivery.id == id; });
    recorded_.push_back(std::move(outcome));
    co_return std::optional<webhooks::Webhook>();
  }

  Task<Result<webhooks::Webhook>> add(webhooks::Webhook webhook, int) override { co_return webhook; }
  Task<Result<std::vector<webhooks::Webhook>>> list(UserId) override { co_return std::vector<webhooks::Webhook>(); }
  Task<Result<webhooks::Webhook>> change(UserId, WebhookId, webhooks::WebhookChange) override {
    co_return webhooks::Webhook();
  }
  Task<Result<webhooks::Delivery>> resend(UserId, WebhookId, DeliveryId) override { co_return webhooks::Delivery(); }
  Task<Result<void>> remove(UserId, WebhookId) override { co_return Result<void>(); }
  Task<Result<int>> consume(std::vector<webhooks::Told>, std::int64_t) override { co_return 0; }
  Task<Result<std::int64_t>> consumed() override { co_return std::int64_t{0}; }
  Task<Result<webhooks::Delivery>> file(UserId, WebhookId, std::string, std::string) override {
    co_return webhooks::Delivery();
  }
  const webhooks::DeliveryCounts& counts() const noexcept override { return counts_; }
  Task<Result<int>> pending(int) override { co_return 0; }
  Task<Result<std::vector<webhooks::Delivery>>> deliveries(UserId, WebhookId, int) override {
    co_return std::vector<webhooks::Delivery>();
  }
  Task<Result<int>> prune(Timestamp, int) override { co_return 0; }

 private:
  std::vector<DueDelivery> due_;
  int refused_ = 0;
  std::vector<Outcome> recorded_;
  int awaited_ = 0;
  std::promise<void> asked_;
  webhooks::DeliveryCounts counts_;
};

class WebhookSenderTest : public ::testing::Test {
 protected:
  /// Sends what is due until the store was asked so often to record, and stops.
  void send(int records, WebhookSender::Post post, std::chrono::milliseconds after_trouble, std::size_t at_once = 4) {
    asio::io_context loop;
    WebhookSenderOptions options;
    options.at_once = at_once;
    options.after_trouble = after_trouble;
    WebhookSender sender(loop.get_executor(), log_, store_, std::move(post), clock_, rng_, options);
    auto asked = store_.when_asked(records);
    spawn_detached(loop.get_executor(), "test", sender.start());
    std::thread thread([&] { loop.run(); });
    EXPECT_EQ(asked.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    asio::co_spawn(loop, sender.stop(), asio::use_future).get();
    thread.join();
  }

  NoEvents log_;
  Deliveries store_;
  FakeClock clock_;
  SeededRng rng_{1};
};

TEST_F(WebhookSenderTest, WhatTheDiskRefusesToRecordIsNotSentAgain) {
  store_.add("a");
  store_.refuse(5);
  std::atomic<int> posts = 0;
  const auto post = [&](const auto&...) {
    ++posts;
    return PostResult{204, "", {}};
  };
  send(6, post, std::chrono::milliseconds(1));
  EXPECT_EQ(posts, 1);
  ASSERT_EQ(store_.recorded().size(), 1U);
  EXPECT_EQ(store_.recorded()[0].answer, "204");
}

TEST_F(WebhookSenderTest, RetryAfterIsKeptForADayAtMost) {
  store_.add("a");
  store_.add("b");
  const auto post = [](const DueDelivery& due, const auto&...) {
    return PostResult{429, "", due.delivery.id.value() == "a" ? std::chrono::seconds(90) : std::chrono::hours(1'000)};
  };
  send(2, post, std::chrono::milliseconds(1), 1);
  ASSERT_EQ(store_.recorded().size(), 2U);
  EXPECT_EQ(store_.recorded()[0].hold_until, clock_.now() + std::chrono::seconds(90));
  EXPECT_EQ(store_.recorded()[1].hold_until, clock_.now() + std::chrono::hours(24));
}

TEST_F(WebhookSenderTest, AStopDoesNotWaitForTheDisk) {
  store_.add("a");
  store_.add("b");
  store_.refuse(1000);
  send(
      2,
      [](const auto&...) {
        return PostResult{204, "", {}};
      },
      std::chrono::hours(1));
  EXPECT_TRUE(store_.recorded().empty());
}

TEST_F(WebhookSenderTest, APostThatThrowsIsAnAttemptThatFailed) {
  store_.add("a");
  store_.add("b");
  const auto post = [](const auto&...) -> PostResult { throw std::runtime_error("broken"); };
  send(2, post, std::chrono::milliseconds(1), 1);
  ASSERT_EQ(store_.recorded().size(), 2U) << "the one lane is free again";
  EXPECT_EQ(store_.recorded()[0].state, webhooks::DeliveryState::pending);
  EXPECT_TRUE(store_.recorded()[0].next_at) << "at once it would throw again";
}

}  // namespace
}  // namespace rushes::gateways
