#include "net/address_book.h"

#include <boost/container_hash/hash.hpp>

#include <algorithm>

namespace rushes::net {
namespace {

constexpr std::chrono::seconds kWindow{1};

}  // namespace

struct AddressLease::Entry {
  std::shared_ptr<AddressBook> book;  // while count > 0
  std::size_t count = 0;
  std::size_t in_window = 0;
  std::chrono::steady_clock::time_point window_began{};
};

AddressLease::~AddressLease() {
  if (entry_ == nullptr) return;
  std::shared_ptr<AddressBook> book;  // let go of behind the lock
  const std::lock_guard lock(entry_->book->mutex_);
  entry_->book->open_.fetch_sub(1, std::memory_order_relaxed);
  if (--entry_->count == 0) book = std::move(entry_->book);
}

AddressBook::AddressBook(AddressLimits limits) : limits_(limits), exempt_(std::make_unique<AddressLease::Entry>()) {}
AddressBook::~AddressBook() = default;

std::size_t AddressBook::KeyHash::operator()(const Key& key) const noexcept {
  return boost::hash_range(key.begin(), key.end());
}

AddressBook::Key AddressBook::key_of(const boost::asio::ip::address& address) {
  Key key{};
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    std::copy(bytes.begin(), bytes.end(), key.begin() + 4);
  } else if (address.to_v6().is_v4_mapped()) {
    const auto bytes = address.to_v6().to_bytes();
    std::copy(bytes.end() - 4, bytes.end(), key.begin() + 4);
  } else {
    const auto bytes = address.to_v6().to_bytes();
    std::copy(bytes.begin(), bytes.begin() + 8, key.begin());
  }
  return key;
}

std::pair<AddressBook::Verdict, AddressLease> AddressBook::admit(const boost::asio::ip::address& address,
                                                                 std::chrono::steady_clock::time_point now,
                                                                 bool exempt) {
  const bool local = address.is_loopback() ||
                     (address.is_v6() && address.to_v6().is_v4_mapped() &&
                      boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).is_loopback());
  const std::lock_guard lock(mutex_);
  if (exempt || (limits_.exempt_loopback && local)) return {Verdict::admitted, lease(*exempt_)};
  if (entries_.size() >= forget_at_) forget_idle(now);
  auto& entry = entries_[key_of(address)];
  if (now - entry.window_began >= kWindow) {
    entry.window_began = now;
    entry.in_window = 0;
  }
  if (limits_.max_connections != 0 && entry.count >= limits_.max_connections)
    return {Verdict::too_many, AddressLease()};
  if (limits_.max_connects_per_second != 0 && entry.in_window >= limits_.max_connects_per_second) {
    return {Verdict::too_fast, AddressLease()};
  }
  ++entry.in_window;
  return {Verdict::admitted, lease(entry)};
}

AddressLease AddressBook::lease(AddressLease::Entry& entry) {
  if (entry.count++ == 0) entry.book = shared_from_this();
  open_.fetch_add(1, std::memory_order_relaxed);
  return AddressLease(&entry);
}

void AddressBook::forget_idle(std::chrono::steady_clock::time_point now) {
  std::erase_if(entries_, [now](const auto& known) {
    return known.second.count == 0 && now - known.second.window_began >= kWindow;
  });
  forget_at_ = std::max<std::size_t>(1024, 2 * entries_.size());
}

}  // namespace rushes::net
