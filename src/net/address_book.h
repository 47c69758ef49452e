#pragma once
#include <boost/asio/ip/address.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace rushes::net {

/// How many connections one address may have. An IPv6 network of 64 bits counts as one address, since its users
/// have all of it.
struct AddressLimits {
  std::size_t max_connections = 1'000;        // open at once; 0: any number
  std::size_t max_connects_per_second = 200;  // 0: any number
  bool exempt_loopback = true;                // where a proxy on this machine stands in front, for everybody
};

class AddressBook;

/// The right to one connection; held as long as the connection lasts.
///
/// Threads: given back on any thread.
class AddressLease {
 public:
  AddressLease() = default;
  AddressLease(AddressLease&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  AddressLease& operator=(AddressLease&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~AddressLease();

 private:
  friend class AddressBook;
  struct Entry;
  explicit AddressLease(Entry* entry) : entry_(entry) {}
  Entry* entry_ = nullptr;  // of a book that lives as long as it is counted there
};

/// Who is connected how often, and how many there are.
///
/// Threads: thread-safe.
class AddressBook : public std::enable_shared_from_this<AddressBook> {
 public:
  explicit AddressBook(AddressLimits limits);
  ~AddressBook();

  enum class Verdict : std::uint8_t { admitted, too_many, too_fast };
  /// `exempt`: admitted whatever the limits say.
  std::pair<Verdict, AddressLease> admit(const boost::asio::ip::address& address,
                                         std::chrono::steady_clock::time_point now, bool exempt = false);
  /// Leases that are held, exempt ones too.
  std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

 private:
  friend class AddressLease;
  using Key = std::array<unsigned char, 8>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  static Key key_of(const boost::asio::ip::address& address);
  AddressLease lease(AddressLease::Entry& entry);
  void forget_idle(std::chrono::steady_clock::time_point now);

  const AddressLimits limits_;
  std::mutex mutex_;
  std::unordered_map<Key, AddressLease::Entry, KeyHash> entries_;  // under mutex_
  std::unique_ptr<AddressLease::Entry> exempt_;                    // all of them; under mutex_
  std::size_t forget_at_ = 1024;                                   // entries; under mutex_
  std::atomic<std::size_t> open_{0};                               // written under mutex_
};

}  // namespace rushes::net
