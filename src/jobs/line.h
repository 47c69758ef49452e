#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace rushes::jobs {

/// A sequence that grows and shrinks at both ends in amortised constant time, lies in one piece, and owns nothing while
/// it is empty from the beginning.
///
/// Threads: single-owner.
template <class T>
class Line {
 public:
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  iterator begin() noexcept { return items_.begin() + head(); }
  iterator end() noexcept { return items_.end(); }
  const_iterator begin() const noexcept { return items_.begin() + head(); }
  const_iterator end() const noexcept { return items_.end(); }
  std::size_t size() const noexcept { return items_.size() - head_; }
  bool empty() const noexcept { return items_.size() == head_; }
  T& operator[](std::size_t index) { return items_[head_ + index]; }
  const T& operator[](std::size_t index) const { return items_[head_ + index]; }
  const T& front() const { return items_[head_]; }

  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_back() { items_.pop_back(); }
  void push_front(T item) {
    if (head_ == 0) {
      head_ = std::max<std::size_t>(kRoom, items_.size() / 2);
      items_.insert(items_.begin(), head_, T());
    }
    items_[--head_] = std::move(item);
  }
  void pop_front() {
    ++head_;
    if (head_ < kRoom || head_ <= items_.size() / 2) return;
    items_.erase(items_.begin(), begin());
    head_ = 0;
  }
  void insert(const_iterator before, T item) { items_.insert(before, std::move(item)); }
  void erase(const_iterator at) {
    if (at == std::as_const(*this).begin()) return pop_front();
    items_.erase(at);
  }

 private:
  static constexpr std::size_t kRoom = 8;
  std::ptrdiff_t head() const noexcept { return static_cast<std::ptrdiff_t>(head_); }

  std::vector<T> items_;
  std::size_t head_ = 0;  // what lies before it is none of the sequence
};

}  // namespace rushes::jobs
