#pragma once
#include "insight/detail/document.h"

#include <cstdint>
#include <vector>

namespace rushes::insight {

/// How well each unit speaks for the whole text, and how alike two of them are.
///
/// LexRank over the weights of their words; above a thousand units only the heaviest take part, the
/// others keep a small score of their own. Threads: single-owner. Lifetime: borrows the document.
class Ranking {
 public:
  explicit Ranking(const Document& document);

  /// 0 and more; larger is better. Units that cannot be quoted alone have little.
  double score(std::uint32_t unit) const { return scores_[unit]; }
  /// Cosine of the words' weights, 0..1.
  double similarity(std::uint32_t a, std::uint32_t b) const;

  /// The best `count` of `units`, no two of them alike (MMR), best first.
  std::vector<std::uint32_t> pick(std::vector<std::uint32_t> units, std::size_t count) const;

 private:
  struct Entry {
    TermId term;
    float weight;
  };
  std::vector<Entry> vector_of(const Unit& unit) const;
  double quotable(const Unit& unit) const;

  const Document& document_;
  std::vector<std::vector<Entry>> vectors_;  // of length 1, sorted by term
  std::vector<double> scores_;
};

}  // namespace rushes::insight
