#include "net/loop.h"

#include <boost/asio/post.hpp>

#include <cerrno>
#include <system_error>
#include <utility>

namespace rushes::net {

Loop::Loop(asio::io_context& context)
    : context_(context),
      executor_(context.get_executor()),
      timers_(executor_),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      epoll_events_(context),
      read_buffer_(kReadBuffer),
      flush_timer_(context) {
  if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

Loop::~Loop() = default;

void Loop::start() {
  epoll_events_.assign(epoll_.release());
  await_events();
}

void Loop::stop() {
  boost::system::error_code ignored;
  epoll_events_.cancel(ignored);
}

void Loop::watch(int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  if (::epoll_ctl(epoll_events_.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

void Loop::change(int fd, std::uint32_t events, Watched& watched) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watched;
  ::epoll_ctl(epoll_events_.native_handle(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::forget(int fd, Watched& watched) noexcept {
  ::epoll_ctl(epoll_events_.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
  // Its event may lie in the batch at hand, which must not reach it any more.
  for (std::size_t i = batch_next_; i < batch_size_; ++i) {
    if (batch_[i].data.ptr == &watched) batch_[i].data.ptr = nullptr;
  }
}

void Loop::await_events() {
  epoll_events_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             if (error) return;
                             self->take_events();
                             self->await_events();
                           });
}

void Loop::take_events() {
  const int count = ::epoll_wait(epoll_events_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
  batch_size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (batch_next_ = 0; batch_next_ < batch_size_;) {
    const auto& event = batch_[batch_next_++];
    if (event.data.ptr == nullptr) continue;
    try {
      static_cast<Watched*>(event.data.ptr)->on_events(event.events);
    } catch (const std::exception& error) {
      log::error("net", "a connection's handler threw: {}", error.what());
    }
  }
  batch_size_ = 0;
}

void Loop::flush_after_turn(Flushed& flushed) {
  if (flushed.in_turn_ != Flushed::kNowhere) return;
  flushed.in_turn_ = static_cast<std::uint32_t>(turn_.size());
  turn_.push_back(&flushed);
  if (std::exchange(turn_end_scheduled_, true)) return;
  asio::post(context_, [self = shared_from_this()] { self->end_turn(); });
}

void Loop::flush_with_others(Flushed& flushed) {
  if (flushed.in_turn_ != Flushed::kNowhere || flushed.in_round_ != Flushed::kNowhere) return;
  flushed.in_round_ = static_cast<std::uint32_t>(round_.size());
  round_.push_back(&flushed);
  if (std::exchange(round_scheduled_, true)) return;
  asio::post(context_, [self = shared_from_this()] { self->begin_round_soon(); });
}

void Loop::schedule_disposal() {
  if (std::exchange(disposal_scheduled_, true)) return;
  asio::post(context_, [self = shared_from_this()] {
    self->disposal_scheduled_ = false;
    const auto dead = std::move(self->disposed_);
    self->disposed_.clear();
  });
}

void Loop::flush_list(FlushList& list, Place place) {
  flushing_.swap(list);
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (auto* flushed = std::exchange(flushing_[i], nullptr)) {
      flushed->*place = Flushed::kNowhere;
      flushed->on_flush();
    }
  }
  flushing_.clear();
}

void Loop::end_turn() {
  turn_end_scheduled_ = false;
  flush_list(turn_, &Flushed::in_turn_);
}

void Loop::begin_round_soon() {
  const auto pause = pace_.to_next_round();
  if (pause <= WritePace::Duration::zero()) return flush_round();
  flush_timer_.expires_after(pause);
  flush_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->flush_round();
  });
}

void Loop::flush_round() {
  pace_.begin_round();
  round_scheduled_ = false;
  flush_list(round_, &Flushed::in_round_);
  pace_.end_round();
}

void Loop::flush() {
  end_turn();
  flush_round();
}

void Loop::forget_flush(Flushed& flushed) noexcept {
  forget_place(turn_, flushed, &Flushed::in_turn_);
  forget_place(round_, flushed, &Flushed::in_round_);
}

void Loop::forget_place(FlushList& list, Flushed& flushed, Place place) noexcept {
  const auto at = std::exchange(flushed.*place, Flushed::kNowhere);
  for (auto* const kept : {&list, &flushing_}) {
    if (at < kept->size() && (*kept)[at] == &flushed) (*kept)[at] = nullptr;
  }
}

void Loop::dispose_later(std::unique_ptr<Disposable> object) {
  disposed_.push_back(std::move(object));
  schedule_disposal();
}

void Loop::adopt(std::unique_ptr<Disposable> object) {
  auto* const key = object.get();
  adopted_.emplace(key, std::move(object));
}

void Loop::let_go(Disposable& object) {
  const auto found = adopted_.find(&object);
  if (found == adopted_.end()) return;
  dispose_later(std::move(found->second));
  adopted_.erase(found);
}

std::unique_ptr<OutQueue> Loop::take_queue() {
  if (spare_queues_.empty()) return std::make_unique<OutQueue>(counts_);
  auto queue = std::move(spare_queues_.back());
  spare_queues_.pop_back();
  return queue;
}

void Loop::give_back(std::unique_ptr<OutQueue> queue) {
  if (spare_queues_.size() < kKeptQueues && queue->capacity() <= kKeptCapacity) {
    spare_queues_.push_back(std::move(queue));
  }
}

void Loop::post(std::function<void()> work) {
  bool first = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    first = inbox_.empty();
    inbox_.push_back(std::move(work));
  }
  if (first) asio::post(context_, [self = shared_from_this()] { self->drain_inbox(); });
}

void Loop::run(std::function<void()> work) {
  if (is_current()) {
    work();
  } else {
    post(std::move(work));
  }
}

void Loop::drain_inbox() {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_running_.swap(inbox_);
  }
  for (auto& work : inbox_running_) {
    try {
      work();
    } catch (const std::exception& error) {
      log::error("net", "posted work threw: {}", error.what());
    }
  }
  inbox_running_.clear();
  // Not at the turn's end but now: what was posted together goes out together, without another round.
  if (round_scheduled_ && pace_.to_next_round() <= WritePace::Duration::zero()) flush_round();
}

}  // namespace rushes::net
