#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rushes::net {

/// The memory that the bodies of all requests share while they come in.
///
/// What counts is what is held, not what was announced. One owner, a user or an address, has at most a quarter of it,
/// but for a single body. A body of up to 4 KiB is free: small requests are taken however full it is.
///
/// Threads: thread-safe.
class BodyBudget {
 public:
  static constexpr std::size_t kFree = 4UL << 10U;  // bytes
  static constexpr std::size_t kShares = 4;

  enum class Verdict : std::uint8_t {
    granted,
    full,        // others hold it
    share_used,  // the owner's other bodies hold its share
    too_large,   // it alone is more than there is
  };

  /// What one body holds.
  ///
  /// Threads:   single-owner.
  /// Lifetime:  the budget outlives it.
  class Lease {
   public:
    explicit Lease(BodyBudget& budget) : budget_(budget) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { release(); }

    /// Holds `bytes` in place of what it held. Otherwise nothing changes. The first `owner` counts.
    Verdict resize(std::size_t bytes, std::string_view owner);
    void release();

   private:
    BodyBudget& budget_;
    std::string owner_;
    std::size_t bytes_ = 0;
  };

  explicit BodyBudget(std::size_t limit) : limit_(limit) {}

  std::size_t limit() const noexcept { return limit_; }
  /// Bytes held now.
  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  /// Bodies that were refused so far.
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  Verdict change(std::string_view owner, std::size_t from, std::size_t to);

  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};  // written under mutex_
  std::atomic<std::uint64_t> refused_{0};
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> owners_;  // under mutex_
};

}  // namespace rushes::net
