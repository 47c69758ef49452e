#include "net/address_book.h"

#include <gtest/gtest.h>

#include <vector>

namespace rushes::net {
namespace {

using boost::asio::ip::make_address;
using std::chrono::milliseconds;
using Verdict = AddressBook::Verdict;

class AddressBookTest : public ::testing::Test {
 protected:
  Verdict admit(const char* address) {
    auto [verdict, lease] = book_->admit(make_address(address), now_);
    if (verdict == Verdict::admitted) leases_.push_back(std::move(lease));
    return verdict;
  }

  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
  std::shared_ptr<AddressBook> book_ = std::make_shared<AddressBook>(AddressLimits{3, 4, true});
  std::vector<AddressLease> leases_;
};

TEST_F(AddressBookTest, OneAddressHasSoManyConnectionsAndNoMore) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(admit("192.0.2.1"), Verdict::admitted);
  EXPECT_EQ(admit("192.0.2.1"), Verdict::too_many);
  EXPECT_EQ(admit("::ffff:192.0.2.1"), Verdict::too_many) << "the same by another name";
  EXPECT_EQ(admit("192.0.2.2"), Verdict::admitted);
  leases_.erase(leases_.begin());
  EXPECT_EQ(admit("192.0.2.1"), Verdict::admitted);
}

TEST_F(AddressBookTest, ANetworkOfOneUserCountsAsOne) {
  for (const auto* address : {"2001:db8::1", "2001:db8::2", "2001:db8::ffff:1"}) {
    EXPECT_EQ(admit(address), Verdict::admitted);
  }
  EXPECT_EQ(admit("2001:db8::3"), Verdict::too_many);
  EXPECT_EQ(admit("2001:db8:0:1::3"), Verdict::admitted);
}

TEST_F(AddressBookTest, WhoComesAndGoesTooFastIsRefusedForAWhile) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(admit("192.0.2.1"), Verdict::admitted);
    leases_.clear();
  }
  EXPECT_EQ(admit("192.0.2.1"), Verdict::too_fast);
  now_ += milliseconds(999);
  EXPECT_EQ(admit("192.0.2.1"), Verdict::too_fast);
  now_ += milliseconds(1);
  EXPECT_EQ(admit("192.0.2.1"), Verdict::admitted);
}

TEST_F(AddressBookTest, ThisMachineIsExempt) {
  for (const auto* address : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(admit(address), Verdict::admitted) << address;
  }
}

TEST_F(AddressBookTest, ManyAddressesThatCameOnceAreForgotten) {
  for (unsigned i = 0; i < 20'000; ++i) {
    const auto address = boost::asio::ip::address_v4(0x0A000000U + i).to_string();
    EXPECT_EQ(admit(address.c_str()), Verdict::admitted);
    leases_.clear();
    now_ += milliseconds(1);
  }
  EXPECT_EQ(admit("10.0.0.0"), Verdict::admitted);
}

TEST_F(AddressBookTest, ALeaseOutlivesItsBook) {
  EXPECT_EQ(admit("192.0.2.1"), Verdict::admitted);
  book_.reset();
  leases_.clear();
}

}  // namespace
}  // namespace rushes::net
