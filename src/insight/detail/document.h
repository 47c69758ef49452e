#pragma once
#include "insight/detail/language.h"
#include "insight/detail/text_tools.h"
#include "insight/detail/word_model.h"
#include "insight/material.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rushes::insight {

using TermId = std::uint32_t;

/// One word where it stands.
struct Token {
  Range range;
  TermId term = 0;
  float confidence = 1;
  bool glued = false;     // nothing but a blank or a hyphen stands before it
  bool capital = false;   // begins with a capital inside a sentence: a name
  bool opens = false;     // the first of its unit
  bool doubtful = false;  // the speech engine was not sure
};

/// All words of one stem.
struct Term {
  std::string stem;
  std::string word;  // its first form, lower case
  std::uint32_t count = 0;
  std::uint32_t sure = 0;      // occurrences that the speech engine was sure of
  std::uint32_t capitals = 0;  // occurrences as a name
  double weight = 0;           // how much it says about this text; 0 for words without content
  bool stop = false;
  bool number = false;
};

/// What can be quoted: a sentence, or where there are none, what was said between two pauses.
struct Unit {
  Range range;
  std::uint32_t first_token = 0;
  std::uint32_t last_token = 0;  // one past the last
  double start = 0;
  double end = 0;
  float confidence = 1;    // mean of its words
  bool announced = false;  // it begins with a word such as "next"
};

/// The text under analysis: cleaned, timed, split into units and words, each word weighed.
///
/// Threads: single-owner. Lifetime: owns all it shows; the word model is borrowed while building.
class Document {
 public:
  /// More of a text than this (some 60 hours of speech) is left out of the analysis.
  static constexpr std::size_t kMaxBytes = 3UL << 20U;
  /// Words that the speech engine gives less than this are wrong as often as right.
  static constexpr float kSure = 0.6F;

  /// `source` is the transcript, or what stands in for it. `model` may be null.
  Document(const captions::Transcript& source, const Material& material, Language language, const WordModel* model);

  const std::string& text() const noexcept { return text_; }
  std::string_view text_of(Range range) const {
    return std::string_view(text_).substr(range.begin, range.end - range.begin);
  }
  const std::vector<Unit>& units() const noexcept { return units_; }
  const std::vector<Token>& tokens() const noexcept { return tokens_; }
  const std::vector<Term>& terms() const noexcept { return terms_; }
  const Term& term_of(const Token& token) const { return terms_[token.term]; }
  Language& language() const noexcept { return language_; }
  const WordModel* model() const noexcept { return model_; }

  /// Whether units are sentences that the text itself marks.
  bool punctuated() const noexcept { return punctuated_; }
  /// Whether the text has capitals where its language has them.
  bool cased() const noexcept { return cased_; }
  /// The end of the last unit, seconds.
  double end() const noexcept { return units_.empty() ? 0 : units_.back().end; }

  /// A unit as a person would write it: first letter, English "I", full stop.
  std::string shown(const Unit& unit) const;
  /// The same for any part of the text; `stop`: with a full stop.
  std::string shown(Range range, bool stop) const;

 private:
  struct Anchor {
    std::uint32_t offset;
    double start;
    double end;
    std::uint32_t length;
  };

  void gather(const captions::Transcript& source);
  void split();
  void add_unit(Range range, const std::vector<WordRange>& words);
  void add_sentence(Range sentence);
  void add_long_unit(Range range);
  void join_captions();
  void guess_units();
  void drop_fillers(Unit& unit) const;
  void align(const std::vector<captions::Word>& words);
  void weigh(const Material& material);
  TermId intern(std::string_view word, bool number);
  double time_at(std::uint32_t offset) const;

  mutable Language language_;
  const WordModel* model_;
  std::string text_;
  bool punctuated_ = false;
  bool cased_ = false;
  std::vector<Anchor> anchors_;  // one a segment, rising
  std::vector<Unit> units_;
  std::vector<Token> tokens_;
  std::vector<Term> terms_;
  std::unordered_map<std::string, TermId> by_stem_;  // while building
};

}  // namespace rushes::insight
