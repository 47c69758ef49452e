#include "worker/protocol.h"

#include <gtest/gtest.h>

namespace rushes::worker {
namespace {

TEST(WorkerProtocol, OrdersComeThroughWhole) {
  pipelines::Order order;
  order.job = JobId("j");
  order.audit = AuditId("a");
  order.type = jobs::JobType::upload;
  order.created_at = from_millis(42);
  order.title = "Grüße \"quoted\"\n";
  order.input = {{"configuration", {{"language", "de"}}}};
  order.body = std::string("nul \0 inside", 12);
  order.source = "/s";
  order.scratch = "/t";
  order.output = "/o";
  order.files_url = "/files/x";
  const auto read = decode_order(encode(order)).value();
  EXPECT_EQ(read.job, order.job);
  EXPECT_EQ(read.audit, order.audit);
  EXPECT_EQ(read.type, order.type);
  EXPECT_EQ(read.created_at, order.created_at);
  EXPECT_EQ(read.title, order.title);
  EXPECT_EQ(read.input, order.input);
  EXPECT_EQ(read.body, order.body);
  EXPECT_EQ(read.source, order.source);
  EXPECT_EQ(read.output, order.output);
  EXPECT_EQ(read.files_url, order.files_url);
}

TEST(WorkerProtocol, LengthsGoBothWaysAndAreBounded) {
  for (const std::size_t length : {std::size_t{0}, std::size_t{255}, std::size_t{65536}, kMaxMessageBytes}) {
    EXPECT_EQ(decode_length(encode_length(length)).value(), length);
  }
  EXPECT_FALSE(decode_length("\xff\xff\xff\xff"));
}

TEST(WorkerProtocol, TrustsNoWorker) {
  for (const auto* text : {"", "[]", "{}", "{\"kind\":\"x\"}", "{\"kind\":\"finished\"}",
                           "{\"kind\":\"finished\",\"result\":[]}", "{\"kind\":\"progress\",\"percent\":101}",
                           "{\"kind\":\"progress\",\"percent\":-1}", "{\"kind\":\"progress\",\"percent\":\"9\"}"}) {
    EXPECT_FALSE(decode_from_worker(text)) << text;
  }
  Report report;
  report.progress.percent = 50;
  report.progress.message = std::string(100'000, 'x');
  const auto read = decode_from_worker(encode(FromWorker(report))).value();
  EXPECT_LE(std::get<Report>(read).progress.message.size(), 500U);
  EXPECT_TRUE(std::holds_alternative<Alive>(decode_from_worker(encode(FromWorker(Alive()))).value()));
}

}  // namespace
}  // namespace rushes::worker
