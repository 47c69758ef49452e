#include "insight/detail/study.h"

#include "insight/analysis.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace rushes::insight {
namespace {

constexpr std::size_t kLongestQuote = 400;  // characters

// English headings leave these small, but at the front and at the end.
bool stays_small(std::string_view word) {
  static const std::set<std::string_view> kSmall{"a",  "an", "the", "and",  "or", "but",  "of",   "in",  "on",  "at",
                                                 "to", "by", "for", "from", "as", "with", "into", "per", "via", "vs"};
  return kSmall.contains(word);
}

}  // namespace

std::string quote(const Document& document, std::uint32_t unit) {
  return fit(document.shown(document.units()[unit]), kLongestQuote, true);
}

std::string quote_all(const Document& document, std::vector<std::uint32_t> units) {
  std::sort(units.begin(), units.end());
  std::set<std::string> said;
  std::string text;
  for (const auto unit : units) {
    auto sentence = quote(document, unit);
    if (!said.insert(sentence).second) continue;
    if (!text.empty() && !is_unspaced(last_character(text))) text += ' ';
    text += sentence;
  }
  return text;
}

std::string as_heading(std::string_view text, const std::string& language) {
  if (language != "en") return capitalise(text, language);
  std::string heading;
  std::uint32_t copied = 0;
  const auto words = find_words(text, language);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto [begin, end] = words[i].range;
    heading += text.substr(copied, begin - copied);
    const auto word = text.substr(begin, end - begin);
    const bool after_colon = begin >= 2 && text.substr(begin - 2, 2) == ": ";
    const bool edge = i == 0 || i + 1 == words.size() || after_colon;
    heading += !edge && stays_small(word) ? std::string(word) : capitalise(word, language);
    copied = end;
  }
  return heading + std::string(text.substr(copied));
}

std::vector<std::uint32_t> best_units(const Study& study, std::uint32_t first, std::uint32_t last, std::size_t count) {
  std::vector<std::uint32_t> units(last - first);
  std::iota(units.begin(), units.end(), first);
  return study.ranking.pick(std::move(units), count);
}

std::vector<const Phrase*> phrases_of(const Study& study, std::uint32_t first, std::uint32_t last) {
  std::vector<std::pair<double, const Phrase*>> scored;
  for (const auto& phrase : study.phrases) {
    const auto from = std::lower_bound(phrase.units.begin(), phrase.units.end(), first);
    const auto to = std::lower_bound(from, phrase.units.end(), last);
    const auto inside = static_cast<double>(to - from);
    if (inside == 0) continue;
    const auto share = inside / static_cast<double>(phrase.units.size());
    scored.emplace_back(phrase.score * share * std::log2(1 + inside), &phrase);
  }
  std::stable_sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<const Phrase*> best;
  for (const auto& [score, phrase] : scored) best.push_back(phrase);
  return best;
}

bool share_a_word(const Phrase& a, const Phrase& b) {
  return std::any_of(a.terms.begin(), a.terms.end(),
                     [&](TermId term) { return std::find(b.terms.begin(), b.terms.end(), term) != b.terms.end(); });
}

}  // namespace rushes::insight
