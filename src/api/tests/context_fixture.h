#pragma once
#include "api/context.h"
#include "store_sqlite/store.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

namespace rushes::api {

/// What handlers work with, over a store of its own in which no job ever starts.
class ContextFixture : public ::testing::Test {
 protected:
  ContextFixture() : folder_(std::filesystem::temp_directory_path() / ("rushes-api-" + SystemRng().token(6))) {
    std::filesystem::create_directories(folder_);
    store_ = std::move(store_sqlite::Store::open(folder_ / "rushes.db", {}, clock_, rng_).value());
    quota_ = std::make_unique<queue::DiskQuota>(store_->storage(), data_, blocking_, clock_, queue::QuotaOptions());
    scheduler_ = std::make_unique<queue::Scheduler>(loop_.get_executor(), store_->jobs(), store_->queries(), runner_,
                                                    rng_, queue::SchedulerOptions());
    notifications_ = std::make_unique<notifications::Service>(store_->notifications());
    store_->events().on_committed([this](std::span<const jobs::Event> events) { streams_.publish(events); });
    credentials_ = std::make_unique<auth::Authenticator>(loop_.get_executor(), tokens_, store_->credentials(),
                                                         "a secret for tickets, of 32 bytes.", clock_, rng_);
    configure(Limits(), queue::QueueLimits());
  }
  ~ContextFixture() override {
    context_.reset();
    schedules_.reset();
    jobs_.reset();
    scheduler_.reset();
    credentials_.reset();
    quota_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void configure(const Limits& limits, queue::QueueLimits queue_limits) {
    context_.reset();
    schedules_.reset();
    jobs_ =
        std::make_unique<queue::JobService>(store_->jobs(), store_->queries(), *scheduler_, clock_, rng_, queue_limits);
    schedules_ = std::make_unique<queue::ScheduleRunner>(loop_.get_executor(), store_->schedules(), *jobs_, clock_,
                                                         queue::ScheduleRunnerOptions());
    context_.reset(new Context{*jobs_, store_->events(), streams_, *notifications_, *credentials_, addresses_, data_,
                               *quota_, blocking_, rng_, clock_, rates_, store_->webhooks(), [] {}, *schedules_,
                               limits});
  }
  const Context& context() const { return *context_; }
  store_sqlite::Store& store() { return *store_; }

  FakeClock clock_;
  EventStreams streams_;
  queue::Rates rates_{clock_};

 private:
  class NoRunner final : public queue::AttemptRunner {
   public:
    int capacity() const override { return 1; }
    Task<queue::AttemptEnd> run(jobs::Claimed, queue::ProgressSink&) override { co_return queue::AttemptEnd(); }
    void stop(JobId) override {}
    Task<> discard(AuditId) override { co_return; }
  };

  const std::filesystem::path folder_;
  SystemRng rng_;
  asio::io_context loop_;
  NoRunner runner_;
  BlockingPool blocking_{1};
  const net::AddressFilter addresses_{true};
  const queue::DataFolder data_{folder_};
  const auth::TokenVerifier tokens_{"a secret that is long enough", clock_};
  std::unique_ptr<store_sqlite::Store> store_;
  std::unique_ptr<auth::Authenticator> credentials_;
  std::unique_ptr<queue::DiskQuota> quota_;
  std::unique_ptr<queue::Scheduler> scheduler_;
  std::unique_ptr<notifications::Service> notifications_;
  std::unique_ptr<queue::JobService> jobs_;
  std::unique_ptr<queue::ScheduleRunner> schedules_;
  std::unique_ptr<Context> context_;
};

}  // namespace rushes::api
