#pragma once
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace rushes::net {

/// A connection that waits for its client, and may be closed so that another can come.
class WaitingConnection : public boost::intrusive::list_base_hook<> {
 public:
  /// Closes it. False: its client has sent something in the meantime.
  virtual bool close_for_another() = 0;

 protected:
  virtual ~WaitingConnection() = default;

 private:
  friend class WaitingList;
  std::chrono::steady_clock::time_point since_;
  class WaitingList* list_ = nullptr;
};

/// The connections of one shard that wait for their clients, the one first that has waited longest.
///
/// Threads:   its shard's, but `longest_since`, which is thread-safe.
/// Lifetime:  outlives what is in it.
/// Cost:      constant for each call.
class WaitingList {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t kNobody = std::numeric_limits<std::int64_t>::max();

  WaitingList() = default;
  WaitingList(const WaitingList&) = delete;
  WaitingList& operator=(const WaitingList&) = delete;

  /// To the end of the list, from wherever it was. `now` never falls from call to call.
  void enter(WaitingConnection& connection, Clock::time_point now) {
    leave(connection);
    connection.since_ = now;
    connection.list_ = this;
    list_.push_back(connection);
    if (&list_.front() == &connection) note_front();
  }
  static void leave(WaitingConnection& connection) noexcept {
    auto* const list = connection.list_;
    if (list == nullptr) return;
    connection.list_ = nullptr;
    const bool was_front = &list->list_.front() == &connection;
    list->list_.erase(list->list_.iterator_to(connection));
    if (was_front) list->note_front();
  }

  /// Since when the first has waited, in the clock's ticks; kNobody in an empty list.
  std::int64_t longest_since() const noexcept { return longest_since_.load(std::memory_order_relaxed); }

  /// Closes the one that has waited longest. False: there is none.
  bool close_longest() {
    for (auto& connection : list_) {
      if (connection.close_for_another()) return true;
    }
    return false;
  }

 private:
  void note_front() noexcept {
    const auto since = list_.empty() ? kNobody : list_.front().since_.time_since_epoch().count();
    longest_since_.store(since, std::memory_order_relaxed);
  }

  boost::intrusive::list<WaitingConnection, boost::intrusive::constant_time_size<false>> list_;
  std::atomic<std::int64_t> longest_since_{kNobody};
};

}  // namespace rushes::net
