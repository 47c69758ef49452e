#pragma once
#include "base/id.h"

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace rushes::queue {

/// The idempotency keys whose requests are being received or stored now.
///
/// Threads:  thread-safe.
/// Lifetime: outlives its Holds.
class KeyHolds {
 public:
  /// Holds one key of one user until it is destroyed; one made without a key holds none.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept : holds_(std::exchange(other.holds_, nullptr)), key_(std::move(other.key_)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (holds_ != nullptr) holds_->release(key_);
    }

   private:
    friend class KeyHolds;
    Hold(KeyHolds& holds, std::pair<UserId, std::string> key) : holds_(&holds), key_(std::move(key)) {}

    KeyHolds* holds_ = nullptr;
    std::pair<UserId, std::string> key_;
  };

  /// Nothing while another request holds this key of this user. The empty key is nobody's.
  std::optional<Hold> take(const UserId& user, const std::string& key) {
    if (key.empty()) return Hold();
    std::pair<UserId, std::string> mine{user, key};
    const std::lock_guard lock(mutex_);
    if (!held_.insert(mine).second) return std::nullopt;
    return Hold(*this, std::move(mine));
  }

 private:
  void release(const std::pair<UserId, std::string>& key) {
    const std::lock_guard lock(mutex_);
    held_.erase(key);
  }

  std::mutex mutex_;
  std::set<std::pair<UserId, std::string>> held_;  // under mutex_
};

}  // namespace rushes::queue
