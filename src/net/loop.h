#pragma once
#include "async/task.h"
#include "base/file.h"
#include "net/out_queue.h"
#include "net/timers.h"
#include "net/websocket_counts.h"
#include "net/write_pace.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace rushes::net {

/// What many connected sockets of one shard share, so that an idle one costs next to nothing: an epoll
/// set of their own inside the event loop (no operation, handler or buffer a socket), one read
/// buffer, the deadlines, and the lists of those that have something to write.
///
/// Threads:   all on the shard's thread, but `post`, which is thread-safe.
/// Lifetime:  outlives what it watches. Shared, since posted work may come after its owner's end.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  /// A socket in the epoll set.
  class Watched {
   public:
    virtual void on_events(std::uint32_t events) = 0;

   protected:
    ~Watched() = default;
  };
  /// Something with output that waits for the turn's end, or for the next round.
  class Flushed {
   public:
    virtual ~Flushed() = default;
    virtual void on_flush() = 0;

   private:
    friend class Loop;
    static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
    std::uint32_t in_turn_ = kNowhere;   // its place among those that wait for this turn's end
    std::uint32_t in_round_ = kNowhere;  // and for the next round
  };
  /// Something that dies after the running handlers have returned.
  class Disposable {
   public:
    virtual ~Disposable() = default;
  };

  explicit Loop(asio::io_context& context);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Starts to listen to the epoll set; on the shard, or before it runs.
  void start();
  /// Ends that, on the shard; watched sockets are their owners' business.
  void stop();

  bool is_current() const { return context_.get_executor().running_in_this_thread(); }
  const Executor& executor() const noexcept { return executor_; }
  Timers& timers() noexcept { return timers_; }
  /// Counted on the shard, read from anywhere.
  WebSocketCounts& counts() noexcept { return counts_; }
  const WebSocketCounts& counts() const noexcept { return counts_; }

  void watch(int fd, std::uint32_t events, Watched& watched);
  void change(int fd, std::uint32_t events, Watched& watched);
  void forget(int fd, Watched& watched) noexcept;

  /// Borrowed between two calls into the loop: whoever reads uses it and leaves nothing in it.
  std::span<char> read_buffer() noexcept { return read_buffer_; }

  /// Calls `flushed.on_flush()` once this turn's handlers have run: for answers, which somebody waits for.
  void flush_after_turn(Flushed& flushed);
  /// The same, but later where the loop's pace asks for that: for what is told to many.
  void flush_with_others(Flushed& flushed);
  void forget_flush(Flushed& flushed) noexcept;
  /// Both now.
  void flush();
  WritePace& pace() noexcept { return pace_; }

  /// An empty queue, used before or new.
  std::unique_ptr<OutQueue> take_queue();
  /// Takes back an empty one.
  void give_back(std::unique_ptr<OutQueue> queue);

  void dispose_later(std::unique_ptr<Disposable> object);
  /// Owns `object` until `let_go` (which disposes of it later), or until the loop's own end.
  void adopt(std::unique_ptr<Disposable> object);
  void let_go(Disposable& object);

  /// Runs `work` on the shard; what one thread posts runs in its order. Many posts share one wake-up.
  void post(std::function<void()> work);
  /// At once if this is the shard's thread, else by `post`.
  void run(std::function<void()> work);

 private:
  static constexpr std::size_t kBatch = 256;
  static constexpr std::size_t kReadBuffer = 128UL << 10U;
  static constexpr std::size_t kKeptQueues = 1024;
  static constexpr std::size_t kKeptCapacity = 64;  // frames; a queue with more has seen a burst and goes

  void await_events();
  void take_events();
  void schedule_disposal();
  void end_turn();
  using FlushList = std::vector<Flushed*>;
  using Place = std::uint32_t Flushed::*;
  void flush_list(FlushList& list, Place place);
  void forget_place(FlushList& list, Flushed& flushed, Place place) noexcept;
  /// Begins the next round, or waits for the end of the pause.
  void begin_round_soon();
  void flush_round();
  void drain_inbox();

  asio::io_context& context_;
  Executor executor_;
  Timers timers_;
  WebSocketCounts counts_;
  FileDescriptor epoll_;
  asio::posix::stream_descriptor epoll_events_;
  std::array<epoll_event, kBatch> batch_{};
  std::size_t batch_size_ = 0;
  std::size_t batch_next_ = 0;
  std::vector<char> read_buffer_;
  FlushList turn_;
  FlushList round_;
  FlushList flushing_;
  std::vector<std::unique_ptr<Disposable>> disposed_;
  asio::steady_timer flush_timer_;
  WritePace pace_;
  std::vector<std::unique_ptr<OutQueue>> spare_queues_;
  bool turn_end_scheduled_ = false;
  bool round_scheduled_ = false;
  bool disposal_scheduled_ = false;

  // Shared with other threads.
  std::mutex inbox_mutex_;
  std::vector<std::function<void()>> inbox_;
  std::vector<std::function<void()>> inbox_running_;  // the shard's only

  // Last, so that what is in it goes first and finds the rest.
  std::unordered_map<Disposable*, std::unique_ptr<Disposable>> adopted_;
};

}  // namespace rushes::net
