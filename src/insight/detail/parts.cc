#include "insight/detail/parts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rushes::insight {
namespace {

constexpr std::size_t kMostBlocks = 400;  // the search is quadratic in them
constexpr std::size_t kMostWords = 50'000;
constexpr std::size_t kMostParts = 20;
constexpr double kNever = std::numeric_limits<double>::infinity();

struct Block {
  std::uint32_t first_unit = 0;
  std::uint32_t last_unit = 0;
  double start = 0;
  std::vector<TermId> terms;
  double bonus = 0;  // what speaks for a cut before it
};

class Splitter {
 public:
  Splitter(const Document& document, const std::vector<double>& scene_cuts, double duration)
      : document_(document), cuts_(scene_cuts), duration_(duration) {
    std::sort(cuts_.begin(), cuts_.end());
    gap_ = std::clamp(duration_ / 15, 10.0, 150.0);
  }

  std::vector<Part> split() {
    make_blocks();
    const auto count = blocks_.size();
    const auto most = std::min({kMostParts, count, static_cast<std::size_t>(std::max(1.0, duration_ / gap_))});
    std::size_t least = 1;
    if (duration_ >= 45 && count >= 6) least = std::max<std::size_t>(3, static_cast<std::size_t>(duration_ / 600));
    least = std::min(least, most);
    weigh_spans();

    // best[m][j]: the cheapest way to cut the first j blocks into m parts.
    std::vector<std::vector<double>> best(most + 1, std::vector<double>(count + 1, kNever));
    std::vector<std::vector<std::size_t>> from(most + 1, std::vector<std::size_t>(count + 1, 0));
    best[0][0] = 0;
    for (std::size_t m = 1; m <= most; ++m) {
      for (std::size_t j = m; j <= count; ++j) {
        for (std::size_t i = m - 1; i < j; ++i) {
          if (best[m - 1][i] == kNever || !long_enough(i, j)) continue;
          const auto cost = best[m - 1][i] + span(i, j);
          if (cost < best[m][j]) {
            best[m][j] = cost;
            from[m][j] = i;
          }
        }
      }
    }
    std::size_t chosen = 0;
    for (std::size_t m = least; m <= most; ++m) {
      if (best[m][count] < (chosen == 0 ? kNever : best[chosen][count])) chosen = m;
    }
    for (std::size_t m = least; chosen == 0 && m > 0; --m) {
      if (best[m][count] != kNever) chosen = m;
    }
    std::vector<Part> parts(std::max<std::size_t>(1, chosen));
    for (std::size_t m = chosen, j = count; m > 0; --m) {
      const auto i = from[m][j];
      parts[m - 1] = {m == 1 ? 0 : blocks_[i].start, blocks_[i].first_unit, blocks_[j - 1].last_unit};
      j = i;
    }
    if (chosen == 0) parts[0] = {0, 0, static_cast<std::uint32_t>(document_.units().size())};
    return parts;
  }

 private:
  void make_blocks() {
    const auto& units = document_.units();
    const auto per_block = (units.size() + kMostBlocks - 1) / kMostBlocks;
    for (std::uint32_t u = 0; u < units.size(); ++u) {
      if (u % per_block == 0) {
        blocks_.push_back({u, u, units[u].start, {}, 0});
      }
      auto& block = blocks_.back();
      block.last_unit = u + 1;
      for (auto i = units[u].first_token; i < units[u].last_token; ++i) {
        const auto& token = document_.tokens()[i];
        if (document_.term_of(token).weight > 0 && !token.doubtful) block.terms.push_back(token.term);
      }
    }
    thin_out();
    std::vector<char> seen(document_.terms().size());
    for (const auto& block : blocks_) {
      total_ += block.terms.size();
      for (const auto term : block.terms) {
        distinct_ += seen[term] == 0;
        seen[term] = 1;
      }
    }
    price_ = std::log(static_cast<double>(total_) + 2);
    for (std::size_t i = 1; i < blocks_.size(); ++i) blocks_[i].bonus = price_ * hints(blocks_[i]);
  }

  // Every n-th word of an endless text tells its subject as well.
  void thin_out() {
    std::size_t all = 0;
    for (const auto& block : blocks_) all += block.terms.size();
    const auto step = all / kMostWords + 1;
    for (std::size_t b = 0; step > 1 && b < blocks_.size(); ++b) {
      std::vector<TermId> kept;
      for (std::size_t i = 0; i < blocks_[b].terms.size(); i += step) kept.push_back(blocks_[b].terms[i]);
      blocks_[b].terms = std::move(kept);
    }
  }

  // What beside the words speaks for a cut here, in parts of a cut's price.
  double hints(const Block& block) const {
    const auto& units = document_.units();
    const auto& unit = units[block.first_unit];
    double hint = 0;
    const auto pause = unit.start - units[block.first_unit - 1].end;
    if (pause > 0.8) hint += 0.2 * std::min(pause, 3.0);
    const auto cut = std::lower_bound(cuts_.begin(), cuts_.end(), unit.start - 1.5);
    if (cut != cuts_.end() && *cut <= unit.start + 1.5) {
      const auto a_minute = static_cast<double>(cuts_.size()) / std::max(1.0, duration_ / 60);
      hint += 0.6 / (1 + a_minute / 4);  // where scenes change all the time, a change says little
    }
    const auto& first = document_.term_of(document_.tokens()[unit.first_token]);
    if (unit.announced) hint += 0.35;
    if (document_.language().leans_back(first.word)) hint -= 0.3;
    return hint;
  }

  void weigh_spans() {
    const auto count = blocks_.size();
    costs_.assign(count * (count + 1), 0);
    std::vector<std::uint32_t> counts(document_.terms().size());
    // What the (c+1)th time a word is said adds to (c) log(c+1).
    std::vector<double> again(total_ + 1);
    for (std::size_t i = 0; i <= total_; ++i) {
      const auto c = static_cast<double>(i);
      again[i] = (c + 1) * std::log(c + 2) - c * std::log(c + 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      double repeats = 0;
      double words = 0;
      for (std::size_t j = i; j < count; ++j) {
        for (const auto term : blocks_[j].terms) {
          repeats += again[counts[term]++];
          words += 1;
        }
        costs_[i * (count + 1) + j + 1] = words * std::log(words + static_cast<double>(distinct_)) - repeats;
      }
      for (std::size_t j = i; j < count; ++j) {
        for (const auto term : blocks_[j].terms) counts[term] = 0;
      }
    }
  }

  double span(std::size_t i, std::size_t j) const {
    return costs_[i * (blocks_.size() + 1) + j] + price_ - blocks_[i].bonus;
  }

  bool long_enough(std::size_t i, std::size_t j) const {
    const auto begin = i == 0 ? 0.0 : blocks_[i].start;
    const auto end = j == blocks_.size() ? std::max(duration_, document_.end()) : blocks_[j].start;
    return std::floor(end) - std::floor(begin) >= gap_ || (i == 0 && j == blocks_.size());
  }

  const Document& document_;
  std::vector<double> cuts_;
  double duration_;
  double gap_;  // seconds that a part lasts at least
  std::vector<Block> blocks_;
  std::size_t total_ = 0;
  std::size_t distinct_ = 0;
  double price_ = 0;  // of one more part
  std::vector<double> costs_;
};

}  // namespace

std::vector<Part> find_parts(const Document& document, const std::vector<double>& scene_cuts, double duration) {
  if (document.units().empty()) return {Part{}};
  return Splitter(document, scene_cuts, duration).split();
}

}  // namespace rushes::insight
