#include "net/timers.h"

#include <utility>

namespace rushes::net {

Deadline::~Deadline() {
  if (owner_ != nullptr) owner_->cancel(*this);
}

Timers::Timers(const boost::asio::any_io_executor& executor) : timer_(executor) {}

Timers::~Timers() {
  *alive_ = false;
  for (auto& entry : heap_) entry.deadline->owner_ = nullptr;
}

void Timers::set(Deadline& deadline, Deadline::TimePoint due) {
  deadline.due_ = due;
  if (deadline.owner_ == nullptr) {
    deadline.owner_ = this;
    heap_.push_back(Entry{due, &deadline});
    deadline.index_ = heap_.size() - 1;
    sift_up(deadline.index_);
  } else if (due < heap_[deadline.index_].key) {
    heap_[deadline.index_].key = due;
    sift_up(deadline.index_);
  }
  if (heap_.front().key < armed_for_) arm();
}

void Timers::cancel(Deadline& deadline) noexcept {
  if (deadline.owner_ == nullptr) return;
  const auto index = deadline.index_;
  deadline.owner_ = nullptr;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  place(index, last);
  sift_up(index);
  sift_down(last.deadline->index_);
}

void Timers::arm() {
  armed_for_ = heap_.front().key;
  timer_.expires_at(armed_for_);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    run_due();
  });
}

void Timers::run_due() {
  armed_for_ = Deadline::TimePoint::min();  // no arming in between
  // Also when a deadline's owner throws: the others must not stand still for it.
  const std::unique_ptr<Timers, void (*)(Timers*)> rearm(this, [](Timers* timers) {
    timers->armed_for_ = Deadline::TimePoint::max();
    if (!timers->heap_.empty()) timers->arm();
  });
  const auto now = std::chrono::steady_clock::now();
  while (!heap_.empty() && heap_.front().key <= now) {
    Deadline& first = *heap_.front().deadline;
    if (first.due_ > now) {
      heap_.front().key = first.due_;
      sift_down(0);
      continue;
    }
    cancel(first);
    first.on_deadline();
  }
}

void Timers::place(std::size_t index, Entry entry) noexcept {
  heap_[index] = entry;
  entry.deadline->index_ = index;
}

void Timers::sift_up(std::size_t index) noexcept {
  const Entry moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent].key <= moving.key) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void Timers::sift_down(std::size_t index) noexcept {
  const Entry moving = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].key < heap_[child].key) ++child;
    if (moving.key <= heap_[child].key) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

}  // namespace rushes::net
