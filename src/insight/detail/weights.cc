#include "insight/detail/document.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace rushes::insight {
namespace {

// In a language without a stop list its commonest short words are taken for stop words.
constexpr double kStopShare = 0.008;
constexpr std::size_t kStopLetters = 5;

std::size_t letters(const std::string& word) {
  return static_cast<std::size_t>(
      std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

bool only_kana(std::string_view word) {
  while (!word.empty()) {
    const auto c = first_character(word);
    if (c < 0x3041 || c > 0x309f) return false;
    word.remove_prefix(first_characters(word, 1).size());
  }
  return true;
}

bool has_letter(std::string_view word) {
  while (!word.empty()) {
    if (is_letter(first_character(word))) return true;
    word.remove_prefix(first_characters(word, 1).size());
  }
  return false;
}

}  // namespace

// A word says much about a text when it comes often here and seldom elsewhere. "Elsewhere" is the word
// model for English; for other languages long words are the rarer ones, which is all we know.
void Document::weigh(const Material& material) {
  const auto total = static_cast<double>(std::max<std::size_t>(1, tokens_.size()));
  for (auto& term : terms_) {
    const auto size = letters(term.word);
    const bool unspaced = is_unspaced(first_character(term.word));
    if (term.number || !has_letter(term.word)) term.stop = true;
    const auto shortest = language_.english()          ? 3U
                          : language_.code() == "ja"   ? 1U
                          : language_.has_stop_words() ? 2U
                          : unspaced                   ? 2U
                                                       : 4U;
    if (size < shortest && term.capitals * 2 < term.count) term.stop = true;
    if (unspaced && only_kana(term.word)) term.stop = true;
    if (!language_.has_stop_words() && !unspaced && total > 100 && size <= kStopLetters &&
        term.count / total > kStopShare) {
      term.stop = true;
    }
    if (term.stop) continue;
    const auto often = std::log2(1.0 + term.count);
    if (model_) {
      const auto surprise = std::log10(term.count / total) - model_->commonness(term.word);
      term.weight = often * std::clamp(surprise, 0.1, 4.0);
    } else {
      const auto length = unspaced ? 2.0 : std::clamp(static_cast<double>(size) / 5, 0.6, 2.0);
      term.weight = often * length;
    }
    if (!language_.english() && language_.code() != "de" && term.capitals * 2 > term.count) term.weight *= 1.3;
    // A word that was never heard for sure carries nothing; one heard well once in three times, a third.
    term.weight *= static_cast<double>(term.sure) / term.count;
  }
  const auto boost = [&](const std::string& text, double factor, std::unordered_set<TermId>& seen) {
    const auto clean = tidy(text);
    for (const auto& word : find_words(clean, language_.code())) {
      const auto surface = std::string_view(clean).substr(word.range.begin, word.range.end - word.range.begin);
      if (surface.size() > 64) continue;
      const auto found = by_stem_.find(language_.stem(to_lower(surface, language_.code())));
      if (found != by_stem_.end() && seen.insert(found->second).second) terms_[found->second].weight *= factor;
    }
  };
  std::unordered_set<TermId> in_title;
  std::unordered_set<TermId> in_tags;
  boost(material.title, 1.4, in_title);
  for (std::size_t i = 0; i < std::min<std::size_t>(material.tags.size(), 100); ++i) {
    boost(material.tags[i], 1.25, in_tags);
  }
}

}  // namespace rushes::insight
