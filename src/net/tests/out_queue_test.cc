#include "net/out_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace rushes::net {
namespace {

constexpr std::uint64_t kJob = 7;
constexpr std::uint64_t kOtherJob = 8;

class OutQueueTest : public ::testing::Test {
 protected:
  void push(std::uint64_t topic, const std::string& text) {
    queue_.push(Frame::event(topic, text), behind_ ? 20 : OutQueue::kNever);
  }
  /// What would be written, as the texts of whole frames with one separator.
  std::string waiting() const {
    iovec storage[32];
    std::string all;
    for (const auto& part : queue_.gather(storage)) {
      all += std::string_view(static_cast<const char*>(part.iov_base), part.iov_len).substr(2);
      all += ' ';
    }
    return all;
  }
  void write(std::size_t bytes) {
    queue_.written(bytes, [this](const Frame& frame) { written_ += std::string(frame.payload()) + " "; });
  }

  bool behind_ = true;
  WebSocketCounts counts_;
  OutQueue queue_{counts_};
  std::string written_;
};

TEST_F(OutQueueTest, KeepsEverythingWhileTheClientIsNotFarBehind) {
  for (const auto* text : {"p1", "p2", "p3"}) push(kJob, text);
  EXPECT_EQ(waiting(), "p1 p2 p3 ");
  EXPECT_EQ(queue_.bytes(), 12U);
  EXPECT_EQ(counts_.queued_bytes.value(), 12U);
}

TEST_F(OutQueueTest, FarBehindTheNewestOfATopicTakesOutTheOneThatWaits) {
  push(0, "job started ...........");
  for (const auto* text : {"p1", "p2"}) push(kJob, text);
  push(kOtherJob, "q1");
  push(0, "m");
  push(kOtherJob, "q2");
  EXPECT_EQ(waiting(), "job started ........... p2 m q2 ");
  EXPECT_EQ(queue_.count(), 4U);
  EXPECT_EQ(counts_.merged.value(), 2U);
  EXPECT_EQ(queue_.bytes(), counts_.queued_bytes.value());
  write(queue_.bytes());
  EXPECT_EQ(written_, "job started ........... p2 m q2 ");
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(counts_.queued_bytes.value(), 0U);
}

TEST_F(OutQueueTest, ABurstToAClientThatKeepsUpStaysWhole) {
  behind_ = false;
  push(0, "job started ...........");
  for (const auto* text : {"p1", "p2"}) push(kJob, text);
  EXPECT_EQ(waiting(), "job started ........... p1 p2 ");
  behind_ = true;
  push(kJob, "p3");
  EXPECT_EQ(waiting(), "job started ........... p1 p3 ") << "the newest that waited goes, where it begins to be behind";
}

TEST_F(OutQueueTest, WhatIsHalfWrittenStays) {
  push(kJob, "a progress of twenty bytes");
  push(0, "next");
  write(5);
  push(kJob, "newer");
  EXPECT_EQ(counts_.merged.value(), 0U);
  write(queue_.bytes());
  EXPECT_EQ(written_, "a progress of twenty bytes next newer ");
}

TEST_F(OutQueueTest, AQueueThatIsNeverEmptyStaysRight) {
  std::string sent;
  push(0, std::string(100, '-'));
  write(1);
  for (int i = 0; i < 1000; ++i) {
    push(i % 3 == 0 ? kJob : 0, std::to_string(i));
    if (i % 2 == 0) write(7);
  }
  std::size_t frames = queue_.count();
  std::size_t before = queue_.bytes();
  EXPECT_GT(counts_.merged.value(), 100U);
  EXPECT_EQ(counts_.queued_bytes.value(), before);
  const auto rest = queue_.take();
  // Its first frame may be half written; the others stand in their order.
  EXPECT_EQ(rest.size(), frames);
  int last = -1;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const int number = std::stoi(std::string(rest[i]->payload()));
    EXPECT_GT(number, last);
    last = number;
  }
  EXPECT_EQ(last, 999);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(counts_.queued_bytes.value(), 0U);
}

TEST_F(OutQueueTest, CountsNothingOnceItIsGone) {
  {
    OutQueue other(counts_);
    other.push(Frame::text("some"));
    EXPECT_EQ(counts_.queued_bytes.value(), 6U);
  }
  EXPECT_EQ(counts_.queued_bytes.value(), 0U);
}

}  // namespace
}  // namespace rushes::net
