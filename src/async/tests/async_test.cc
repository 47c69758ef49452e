#include "async/blocking_pool.h"
#include "async/gate.h"
#include "async/run.h"
#include "async/shards.h"

#include <gtest/gtest.h>

#include <thread>

namespace rushes {
namespace {

Task<std::thread::id> thread_after_pool(BlockingPool& pool) {
  auto work = [] { return std::this_thread::get_id(); };
  const auto there = co_await pool.run(std::move(work));
  EXPECT_NE(there, std::this_thread::get_id());
  co_return std::this_thread::get_id();
}

TEST(BlockingPool, ComesBackToTheCallersThread) {
  BlockingPool pool(1);
  EXPECT_EQ(run_to_end(thread_after_pool(pool)), std::this_thread::get_id());
}

Task<> throws_on_the_pool(BlockingPool& pool) {
  auto work = []() -> int { throw std::runtime_error("from the pool"); };
  co_await pool.run(std::move(work));
}

TEST(BlockingPool, BringsExceptionsBack) {
  BlockingPool pool(1);
  EXPECT_THROW(run_to_end(throws_on_the_pool(pool)), std::runtime_error);
}

Task<> hold(Gate::Pass pass, bool& done) {
  const auto held = std::move(pass);
  co_await sleep_for(std::chrono::milliseconds(5));
  done = true;
}

Task<> close_waits() {
  const auto executor = co_await asio::this_coro::executor;
  Gate gate(executor);
  bool done = false;
  spawn_detached(executor, "test", hold(std::move(*gate.try_enter()), done));
  co_await gate.close();
  EXPECT_TRUE(done);
  EXPECT_FALSE(gate.try_enter());
  co_await gate.close();
}

TEST(Gate, CloseWaitsForTheLastPassAndRefusesNewcomers) { run_to_end(close_waits()); }

Task<std::size_t> which_shard() { co_return Shards::current().value(); }
Task<std::size_t> ask(Shards& shards, std::size_t shard) {
  co_return co_await run_on(shards.executor(shard), which_shard());
}

TEST(Shards, RunWhereTheyAreTold) {
  Shards shards(2);
  shards.start();
  EXPECT_EQ(run_to_end(ask(shards, 0)), 0U);
  EXPECT_EQ(run_to_end(ask(shards, 1)), 1U);
  EXPECT_FALSE(Shards::current());
  shards.stop();
  shards.stop();
}

}  // namespace
}  // namespace rushes
