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
  order.source = 4;
  order.record = {{"id", "v"}};
  order.audio = 5;
  order.picture = 6;
  order.door = "http://u:p@127.0.0.1:1";
  order.cookies = "a\tb";
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
  EXPECT_EQ(read.record, order.record);
  EXPECT_EQ(read.audio, order.audio);
  EXPECT_EQ(read.picture, order.picture);
  EXPECT_EQ(read.door, order.door);
  EXPECT_EQ(read.cookies, order.cookies);
  EXPECT_EQ(read.files_url, order.files_url);
}

TEST(WorkerProtocol, TrustsNoWorker) {
  for (const auto* text :
       {"", "[]", "{}", "{\"kind\":\"x\"}", "{\"kind\":\"finished\"}", "{\"kind\":\"finished\",\"result\":[]}",
        "{\"kind\":\"fetched\"}", "{\"kind\":\"progress\",\"percent\":101}", "{\"kind\":\"progress\",\"percent\":-1}",
        "{\"kind\":\"progress\",\"percent\":\"9\"}"}) {
    EXPECT_FALSE(decode_from_worker(text)) << text;
  }
  Report report;
  report.progress.percent = 50;
  report.progress.message = std::string(100'000, 'x');
  const auto read = decode_from_worker(encode(FromWorker(report))).value();
  EXPECT_LE(std::get<Report>(read).progress.message.size(), 500U);
  EXPECT_TRUE(std::holds_alternative<Alive>(decode_from_worker(encode(FromWorker(Alive()))).value()));
}

/// What costs the server many times its length, or looks like a line of its log.
TEST(WorkerProtocol, TakesNoMessageOfTooManyValues) {
  const auto finished = [](const std::string& unit, std::size_t times) {
    std::string text = R"({"kind":"finished","result":{"a":[0)";
    for (std::size_t i = 0; i < times; ++i) text += unit;
    return text + "]}}";
  };
  for (const auto* unit : {",0", ",[]", ",{}"}) {
    EXPECT_FALSE(decode_from_worker(finished(unit, kMaxValues))) << unit;
    EXPECT_TRUE(decode_from_worker(finished(unit, kMaxValues / 4))) << unit;
  }
  const std::string words(2 * kMaxValues, ',');
  EXPECT_TRUE(decode_from_worker(R"({"kind":"finished","result":{"a":"\\\"[)" + words + R"("}})")) << "only words";
}

TEST(WorkerProtocol, AFailuresCodeIsOne) {
  for (const auto* code : {"", "TWO WORDS", "LINE\\n2026-01-01 info auth: forged", "X\\u001b[31m", "X\\\"} 1"}) {
    EXPECT_FALSE(decode_from_worker(std::string(R"({"kind":"failed","code":")") + code + R"("})")) << code;
  }
  const auto read = decode_from_worker(R"({"kind":"failed","code":"URL_DEAD","message":"a\nb\u001b[31m"})").value();
  EXPECT_EQ(std::get<Failed>(read).failure.code, "URL_DEAD");
  EXPECT_EQ(std::get<Failed>(read).failure.message, "a b [31m");
}

}  // namespace
}  // namespace rushes::worker
