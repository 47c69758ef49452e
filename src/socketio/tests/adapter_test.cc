#include "socketio/adapter.h"

#include "async/run.h"
#include "base/clock.h"
#include "base/random.h"
#include "socketio/server.h"

#include <gtest/gtest.h>

namespace rushes::socketio {
namespace {

/// A cluster of one more node, which only listens: what it would be sent.
class Recorder final : public Adapter {
 public:
  explicit Recorder(Adapter& local) : local_(local) {}

  void broadcast(const Selection& to, const OutgoingEvent& event) override {
    sent.push_back(std::string(event.name) + " " + event.args.text() + " to " + to.rooms.at(0));
    local_.broadcast(to, event);
  }
  Task<BroadcastAnswers> broadcast_with_ack(Selection to, EncodedPacket event, std::uint64_t id,
                                            std::chrono::milliseconds timeout) override {
    ids.push_back(id);
    return local_.broadcast_with_ack(std::move(to), std::move(event), id, timeout);
  }
  void emit_to_servers(std::string_view event, const Arguments& args) override {
    sent.push_back(std::string(event) + " " + args.text() + " to servers");
  }
  void disconnect(const Selection& who, bool) override { sent.push_back("disconnect " + who.except.at(0)); }
  void join(const Selection& who, std::string room) override { sent.push_back("join " + who.rooms.at(0) + " " + room); }
  void leave(const Selection& who, std::string room) override {
    sent.push_back("leave " + who.rooms.at(0) + " " + room);
  }
  Task<std::size_t> count(Selection who) override {
    const auto here = co_await local_.count(std::move(who));
    co_return here + 10;
  }

  std::vector<std::string> sent;
  std::vector<std::uint64_t> ids;

 private:
  Adapter& local_;
};

TEST(AdapterTest, EverythingThatANamespaceDoesGoesThroughIt) {
  SystemClock clock;
  SystemRng rng;
  Shards shards(2);
  Server io(shards, ServerOptions(), clock, rng);
  auto& nsp = io.of("/queue");
  Recorder cluster(nsp.local_adapter());
  nsp.reach_by(cluster);
  std::vector<std::string> heard;
  nsp.on_server_side([&heard](const Event& event) { heard.push_back(event.name); });
  shards.start();

  nsp.to("user:a").emit("hello", 1, "two");
  nsp.except("user:b").disconnect();
  nsp.to("user:a").join("vip");
  nsp.to("user:a").leave("vip");
  nsp.emit_to_servers("cache-cleared", 7);
  nsp.take_from_server(Event{"from-afar", {}, {}});
  EXPECT_EQ(cluster.sent, (std::vector<std::string>{"hello 1,\"two\" to user:a", "disconnect user:b", "join user:a vip",
                                                    "leave user:a vip", "cache-cleared 7 to servers"}));
  EXPECT_EQ(heard, std::vector<std::string>{"from-afar"});
  EXPECT_EQ(run_to_end(nsp.all().count()), 10U);
  EXPECT_TRUE(nsp.to("user:a").may_reach()) << "on the other node";
  nsp.reach_by(nsp.local_adapter());
  EXPECT_FALSE(nsp.to("user:a").may_reach());
  nsp.reach_by(cluster);

  for (int i = 0; i < 2; ++i) {
    const auto nobody = run_to_end(nsp.all().emit_with_ack("q", Arguments(), std::chrono::seconds(5)));
    EXPECT_TRUE(nobody.answers.empty());
    EXPECT_EQ(nobody.missing, 0U);
  }
  ASSERT_EQ(cluster.ids.size(), 2U);
  EXPECT_NE(cluster.ids[0], cluster.ids[1]);
  EXPECT_LT(cluster.ids[1], 1ULL << 53U) << "a JavaScript number holds it";
  run_to_end(io.stop());
  shards.stop();
}

}  // namespace
}  // namespace rushes::socketio
