#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace rushes::jobs {

/// A sorted set of small values that tells which rank a value has and which value has a rank. The values lie in blocks,
/// one after the other, so that a look-up meets a handful of cache lines where a tree of nodes meets one or two a
/// level.
///
/// Cost:     rank and look-up O(log n). What comes or goes moves half a block, and each time that a block comes or goes
///           n / kBlock counters: 40 KiB at a million values, spread over the changes that fill a block.
/// Threads:  single-owner. Values: trivially copyable, ordered by `<`, no two alike.
template <class T>
class RankedSet {
 public:
  static constexpr std::size_t kBlock = 256;

  void clear() noexcept { *this = RankedSet(); }
  std::size_t size() const noexcept { return size_; }

  void insert(const T& value) {
    if (blocks_.empty()) open_block(0, value);
    auto at = block_of(value);
    auto* block = &blocks_[at];
    auto index = block->index_of(value);
    if (block->size == kBlock) {
      // What fills up from the left, as the line of one turn does, leaves full blocks behind.
      if (index < kBlock) {
        split(at);
      } else if (at + 1 == blocks_.size() || blocks_[at + 1].size == kBlock) {
        open_block(at + 1, value);
      }
      if (blocks_[at].size == kBlock || !(value < firsts_[at + 1])) ++at;
      block = &blocks_[at];
      index = block->index_of(value);
    }
    block->insert(index, value);
    if (index == 0) firsts_[at] = value;
    count(at, 1);
    ++size_;
  }

  /// Nothing happens where it is not there.
  void erase(const T& value) {
    if (blocks_.empty()) return;
    const auto at = block_of(value);
    auto& block = blocks_[at];
    const auto index = block.index_of(value);
    if (index == block.size || value < block.values[index]) return;
    block.erase(index);
    count(at, -1);
    --size_;
    if (block.size == 0) return close_block(at);
    if (index == 0) firsts_[at] = block.values[0];
    if (at + 1 < blocks_.size() && block.size + blocks_[at + 1].size <= kBlock / 2) merge(at);
  }

  /// How many are smaller than `value`.
  std::size_t rank(const T& value) const {
    if (blocks_.empty()) return 0;
    const auto at = block_of(value);
    return before(at) + blocks_[at].index_of(value);
  }

  /// Visits the values of rank `from` and above in their order, until `visit` says false.
  template <class Visit>
  void each(std::size_t from, Visit visit) const {
    auto at = block_at(from);
    for (; at < blocks_.size(); ++at, from = 0) {
      for (auto i = from; i < blocks_[at].size; ++i) {
        if (!visit(blocks_[at].values[i])) return;
      }
    }
  }

 private:
  struct Block {
    std::unique_ptr<T[]> values = std::make_unique_for_overwrite<T[]>(kBlock);  // NOLINT(*-avoid-c-arrays)
    std::size_t size = 0;

    std::size_t index_of(const T& value) const {
      return static_cast<std::size_t>(std::lower_bound(values.get(), values.get() + size, value) - values.get());
    }
    void insert(std::size_t index, const T& value) {
      std::copy_backward(values.get() + index, values.get() + size, values.get() + size + 1);
      values[index] = value;
      ++size;
    }
    void erase(std::size_t index) {
      std::copy(values.get() + index + 1, values.get() + size, values.get() + index);
      --size;
    }
  };

  /// The one that holds `value`, or would.
  std::size_t block_of(const T& value) const {
    const auto behind = std::upper_bound(firsts_.begin(), firsts_.end(), value);
    return behind == firsts_.begin() ? 0 : static_cast<std::size_t>(behind - firsts_.begin()) - 1;
  }

  // counts_ is a Fenwick tree: the entry i sums up the sizes of the blocks (i & (i + 1)) to i.
  void count(std::size_t at, std::ptrdiff_t change) {
    for (; at < counts_.size(); at |= at + 1) counts_[at] += change;
  }
  std::size_t before(std::size_t at) const {
    std::ptrdiff_t sum = 0;
    for (; at > 0; at &= at - 1) sum += counts_[at - 1];
    return static_cast<std::size_t>(sum);
  }
  /// The block with the value of this rank, which becomes its index there.
  std::size_t block_at(std::size_t& rank) const {
    std::size_t at = 0;
    for (std::size_t step = std::bit_floor(counts_.size()); step > 0; step /= 2) {
      if (at + step > counts_.size() || static_cast<std::size_t>(counts_[at + step - 1]) > rank) continue;
      at += step;
      rank -= static_cast<std::size_t>(counts_[at - 1]);
    }
    return at;
  }
  void recount() {
    counts_.assign(blocks_.size(), 0);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      counts_[i] += static_cast<std::ptrdiff_t>(blocks_[i].size);
      if (const auto above = i | (i + 1); above < counts_.size()) counts_[above] += counts_[i];
    }
  }

  void open_block(std::size_t at, const T& first) {
    blocks_.insert(place(blocks_, at), Block());
    firsts_.insert(place(firsts_, at), first);
    recount();
  }
  void close_block(std::size_t at) {
    blocks_.erase(place(blocks_, at));
    firsts_.erase(place(firsts_, at));
    recount();
  }
  void split(std::size_t at) {
    Block right;
    auto& left = blocks_[at];
    right.size = kBlock / 2;
    left.size = kBlock - right.size;
    std::copy_n(left.values.get() + left.size, right.size, right.values.get());
    firsts_.insert(place(firsts_, at + 1), right.values[0]);
    blocks_.insert(place(blocks_, at + 1), std::move(right));
    recount();
  }
  void merge(std::size_t at) {
    auto& left = blocks_[at];
    const auto& right = blocks_[at + 1];
    std::copy_n(right.values.get(), right.size, left.values.get() + left.size);
    left.size += right.size;
    close_block(at + 1);
  }
  template <class Vector>
  static auto place(Vector& vector, std::size_t at) {
    return vector.begin() + static_cast<std::ptrdiff_t>(at);
  }

  std::vector<Block> blocks_;
  std::vector<T> firsts_;  // of each block its first, or what was so
  std::vector<std::ptrdiff_t> counts_;
  std::size_t size_ = 0;
};

}  // namespace rushes::jobs
