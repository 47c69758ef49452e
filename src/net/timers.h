#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace rushes::net {

class Timers;

/// A point in time at which something of ours happens; embedded in its owner.
///
/// Threads:  those of its Timers. Destroying it cancels it.
class Deadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  bool armed() const noexcept { return owner_ != nullptr; }
  TimePoint due() const noexcept { return due_; }

 protected:
  virtual ~Deadline();
  /// Called once the time has come; the deadline is no longer armed then and may be armed again.
  virtual void on_deadline() = 0;

 private:
  friend class Timers;
  TimePoint due_{};
  Timers* owner_ = nullptr;
  std::size_t index_ = 0;
};

/// All deadlines of one shard behind one timer of the event loop.
///
/// Moving a deadline to a later time, which is what nearly every packet does, changes one field: its
/// place in the heap is put right only when the old time comes.
///
/// Threads:   one shard's.
/// Lifetime:  outlives its deadlines' being armed; destroyed on its shard or after the loop has ended.
class Timers {
 public:
  explicit Timers(const boost::asio::any_io_executor& executor);
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  ~Timers();

  void set(Deadline& deadline, Deadline::TimePoint due);
  void set(Deadline& deadline, std::chrono::milliseconds from_now) {
    set(deadline, std::chrono::steady_clock::now() + from_now);
  }
  void cancel(Deadline& deadline) noexcept;

 private:
  struct Entry {
    Deadline::TimePoint key;  // never later than the deadline's own time
    Deadline* deadline;
  };

  void arm();
  void run_due();
  void place(std::size_t index, Entry entry) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;

  std::vector<Entry> heap_;
  boost::asio::steady_timer timer_;
  Deadline::TimePoint armed_for_ = Deadline::TimePoint::max();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace rushes::net
