#include "auth/tickets.h"

#include <gtest/gtest.h>

namespace rushes::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kFile = "/files/k/a.jpg";
constexpr std::string_view kStream = "/analyze/job/j/events";

class TicketsTest : public ::testing::Test {
 protected:
  Identity ann() const {
    Identity ann{UserId("ann"), "admin", clock_.now() + minutes(5), clock_.now()};
    return ann;
  }

  FakeClock clock_;
  SeededRng rng_{1};
  Tickets tickets_{"a secret of the server, of 32 bytes", clock_, rng_};
};

TEST_F(TicketsTest, AFilesTicketIsGoodForSixHoursAsOftenAsWanted) {
  const auto ticket = tickets_.issue(ann(), TicketKind::file, kFile);
  EXPECT_EQ(ticket.expires_at, clock_.now() + hours(6));
  for (int i = 0; i < 3; ++i) {
    const auto who = tickets_.redeem(ticket.text, kFile).value();
    EXPECT_EQ(who.user, UserId("ann"));
    EXPECT_EQ(who.role, "admin");
    EXPECT_EQ(who.scopes, Scopes(Scope::read));
    clock_.advance(hours(2) - seconds(1));
  }
  clock_.advance(seconds(3));
  EXPECT_EQ(tickets_.redeem(ticket.text, kFile).error().public_name(), "TOKEN_EXPIRED");
}

TEST_F(TicketsTest, AStreamsTicketOpensOneStreamWithinAMinute) {
  const auto ticket = tickets_.issue(ann(), TicketKind::stream, kStream);
  EXPECT_EQ(ticket.expires_at, clock_.now() + seconds(60));
  const auto issued = clock_.now();
  clock_.advance(seconds(59));
  const auto who = tickets_.redeem(ticket.text, kStream).value();
  EXPECT_EQ(who.expires_at, issued + hours(6)) << "the stream itself goes on";
  EXPECT_EQ(who.issued_at, issued);
  const auto again = tickets_.redeem(ticket.text, kStream).error();
  EXPECT_EQ(again.public_name(), "TOKEN_INVALID");
  EXPECT_EQ(again.code(), Errc::unauthenticated);
  const auto late = tickets_.issue(ann(), TicketKind::stream, kStream);
  clock_.advance(seconds(60));
  EXPECT_EQ(tickets_.redeem(late.text, kStream).error().public_name(), "TOKEN_EXPIRED");
}

TEST_F(TicketsTest, AUserWhoOpensTooManyStreamsShutsOutNobodyElse) {
  const auto open = [&](const Identity& holder) {
    return tickets_.redeem(tickets_.issue(holder, TicketKind::stream, kStream).text, kStream);
  };
  for (std::size_t i = 0; i < Tickets::kStreamsAMinute; ++i) ASSERT_TRUE(open(ann())) << i;
  EXPECT_EQ(open(ann()).error().public_name(), "TICKETS_LIMIT");
  auto bob = ann();
  bob.user = UserId("bob");
  EXPECT_TRUE(open(bob));
  clock_.advance(seconds(61));
  EXPECT_TRUE(open(ann()));
}

TEST_F(TicketsTest, ATicketIsForOnePath) {
  const auto ticket = tickets_.issue(ann(), TicketKind::file, kFile);
  for (const auto* path : {"/files/k/b.jpg", "/files/k/a.jpg/", "/files/k", "/", ""}) {
    EXPECT_EQ(tickets_.redeem(ticket.text, path).error().public_name(), "TOKEN_INVALID") << path;
  }
}

TEST_F(TicketsTest, NothingElseIsATicket) {
  const auto text = tickets_.issue(ann(), TicketKind::file, kFile).text;
  Tickets others("another secret of 32 bytes, of course", clock_, rng_);
  for (const auto& bad : {std::string(), std::string("."), text.substr(1), text.substr(0, text.size() - 1), text + "A",
                          text.substr(0, text.find('.')), "." + text, others.issue(ann(), TicketKind::file, kFile).text,
                          std::string(100'000, 'x')}) {
    EXPECT_EQ(tickets_.redeem(bad, kFile).error().public_name(), "TOKEN_INVALID") << bad.substr(0, 100);
  }
}

TEST_F(TicketsTest, AfterARestartFilesTicketsHoldAndStreamsTicketsDoNot) {
  const auto file = tickets_.issue(ann(), TicketKind::file, kFile);
  const auto stream = tickets_.issue(ann(), TicketKind::stream, kStream);
  clock_.advance(seconds(1));
  Tickets restarted("a secret of the server, of 32 bytes", clock_, rng_);
  EXPECT_TRUE(restarted.redeem(file.text, kFile));
  EXPECT_EQ(restarted.redeem(stream.text, kStream).error().public_name(), "TOKEN_INVALID")
      << "it may have been used before";
}

TEST_F(TicketsTest, ATicketOfAnApiKeyEndsWithIt) {
  auto holder = ann();
  holder.key = KeyId("0123456789abcdef");
  const auto ticket = tickets_.issue(holder, TicketKind::file, kFile);
  EXPECT_EQ(ticket.expires_at, holder.expires_at);
  EXPECT_EQ(tickets_.redeem(ticket.text, kFile).value().key, holder.key);
}

}  // namespace
}  // namespace rushes::auth
