#include "insight/detail/phrases.h"

#include "insight/analysis.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_map>

namespace rushes::insight {
namespace {

constexpr std::size_t kLongestPhrase = 4;        // words, connectors included
constexpr std::size_t kMostUnits = 1024;         // remembered for each phrase
constexpr std::size_t kMostCandidates = 50'000;  // hostile texts have no end of them
constexpr std::size_t kShortText = 120;          // words; below it nothing is said twice
constexpr std::size_t kLongestShown = 50;        // characters

struct Candidate {
  std::vector<TermId> terms;
  std::uint32_t count = 0;
  std::uint32_t determined = 0;  // occurrences behind an article, as only nouns have them
  std::uint32_t named = 0;       // occurrences with every word in capitals
  std::vector<std::uint32_t> units;
  Range first;
  Range first_inside;  // first occurrence that does not open a unit: its capitals mean something
  std::size_t content = 0;
  double affinity = 0;  // of its pairs, in the language at large
};

std::string key_of(const std::vector<TermId>& terms) {
  std::string key(terms.size() * sizeof(TermId), '\0');
  std::memcpy(key.data(), terms.data(), key.size());
  return key;
}

bool is_article(std::string_view word) {
  for (const std::string_view article : {"the", "la", "las", "los", "el", "le", "les", "lo", "il"}) {
    if (word == article) return true;
  }
  return false;
}

// What stands before nouns in French, Spanish, Italian and Portuguese.
bool is_determiner(std::string_view word) {
  for (const std::string_view determiner :
       {"le",   "la",  "les", "un",  "une", "des", "du",  "de",  "au",  "aux", "el", "los",   "las",    "una", "unos",
        "unas", "del", "al",  "en",  "con", "il",  "lo",  "i",   "gli", "uno", "di", "della", "dei",    "o",   "os",
        "a",    "as",  "um",  "uma", "do",  "da",  "dos", "das", "su",  "son", "sa", "ses",   "chaque", "cada"}) {
    if (word == determiner) return true;
  }
  return false;
}

bool is_romance(std::string_view code) { return code == "fr" || code == "es" || code == "it" || code == "pt"; }

class Finder {
 public:
  explicit Finder(const Document& document)
      : document_(document),
        german_(document.language().code() == "de" && document.cased()),
        romance_(is_romance(document.language().code())) {}

  std::vector<Phrase> find(std::size_t limit) {
    collect();
    return choose(rank(), limit);
  }

 private:
  bool connector(const Token& token) const { return document_.language().is_connector(document_.term_of(token).word); }

  bool content(const Token& token) const {
    const auto& term = document_.term_of(token);
    return !term.stop && !token.doubtful && term.weight > 0;
  }

  void collect() {
    const auto& units = document_.units();
    for (std::uint32_t u = 0; u < units.size(); ++u) {
      for (auto i = units[u].first_token; i < units[u].last_token; ++i) {
        if (content(document_.tokens()[i])) collect_from(u, i);
      }
    }
  }

  void collect_from(std::uint32_t u, std::uint32_t begin) {
    const auto& tokens = document_.tokens();
    std::vector<TermId> terms;
    bool named = true;
    std::size_t words = 0;
    for (auto i = begin; i < document_.units()[u].last_token && terms.size() < kLongestPhrase; ++i) {
      const auto& token = tokens[i];
      if (i > begin && !token.glued) break;
      const bool is_content = content(token);
      if (!is_content && !connector(token)) break;
      // "luz del sol" and "luz de la luna", but not "convierte la luz".
      if (!is_content && is_article(document_.term_of(token).word) && content(tokens[i - 1])) break;
      terms.push_back(token.term);
      words += is_content;
      named = named && token.capital;
      if (is_content && good_shape(begin, i)) add(u, begin, i, terms, words, named);
    }
  }

  // Whether the words from `begin` to `end` can be read alone. Without a word model any run will do.
  bool good_shape(std::uint32_t begin, std::uint32_t end) {
    const auto& last = document_.tokens()[end];
    if (begin == end && last.range.end - last.range.begin <= 3 &&
        is_unspaced(first_character(document_.text_of(last.range)))) {
      return false;  // one ideograph alone
    }
    if (german_) return is_upper(first_character(document_.text_of(last.range)));
    if (!document_.model()) return true;
    const auto& head = use_of(end);
    if (!head.ends || (begin == end && !head.alone)) return false;
    for (auto i = begin; i < end; ++i) {
      if (!use_of(i).inside) return false;
    }
    return true;
  }

  // What a word, in the form that stands here, can do in a phrase.
  struct Use {
    bool ends = true;
    bool inside = true;
    bool alone = true;
  };

  const Use& use_of(std::uint32_t token_index) {
    const auto& token = document_.tokens()[token_index];
    const auto& term = document_.term_of(token);
    auto surface = to_lower(document_.text_of(token.range), document_.language().code());
    if (surface.ends_with("'s")) surface.resize(surface.size() - 2);
    const auto [found, fresh] = uses_.try_emplace(std::move(surface));
    if (fresh && term.capitals * 2 <= term.count) {
      const auto kind = document_.model()->kind(found->first);
      const bool noun = kind == WordKind::noun || kind == WordKind::noun_or_verb;
      found->second.ends = noun && document_.model()->can_end_phrase(found->first);
      found->second.alone = kind == WordKind::noun;
      found->second.inside = kind == WordKind::noun || kind == WordKind::adjective;
    }
    return found->second;
  }

  void add(std::uint32_t u, std::uint32_t begin, std::uint32_t end, const std::vector<TermId>& terms, std::size_t words,
           bool named) {
    const auto& tokens = document_.tokens();
    const Range range{tokens[begin].range.begin, tokens[end].range.end};
    const auto found = candidates_.find(key_of(terms));
    if (found == candidates_.end() && candidates_.size() >= kMostCandidates) return;
    auto& candidate = found != candidates_.end() ? found->second : candidates_[key_of(terms)];
    if (candidate.count == 0) {
      candidate.terms = terms;
      candidate.first = range;
      candidate.content = words;
      candidate.affinity = affinity(begin, end);
    }
    if (candidate.first_inside.end == 0 && !tokens[begin].opens) candidate.first_inside = range;
    ++candidate.count;
    candidate.named += named && !german_;
    candidate.determined += determined(begin);
    if (candidate.units.size() < kMostUnits && (candidate.units.empty() || candidate.units.back() != u)) {
      candidate.units.push_back(u);
    }
  }

  bool determined(std::uint32_t index) const {
    const auto& token = document_.tokens()[index];
    if (document_.language().elision(document_.text_of(token.range)) > 0) return true;
    return token.glued && index > 0 && is_determiner(document_.term_of(document_.tokens()[index - 1]).word);
  }

  double affinity(std::uint32_t begin, std::uint32_t end) const {
    if (!document_.model() || begin == end) return 0;
    double least = 9;
    for (auto i = begin; i < end; ++i) {
      const auto pair = document_.model()->affinity(document_.term_of(document_.tokens()[i]).word,
                                                    document_.term_of(document_.tokens()[i + 1]).word);
      least = std::min(least, pair);
    }
    return least;
  }

  // A phrase said once is a chance meeting of words, unless it is a name, the language knows it, or the
  // text is too short for anything to be said twice.
  bool believable(const Candidate& candidate) const {
    if (candidate.content == 1) return !romance_ || candidate.determined > 0 || candidate.named > 0;
    if (candidate.count > 1 || candidate.named > 0 || candidate.affinity > 1) return true;
    if (document_.tokens().size() >= kShortText || candidate.content > 2) return false;
    if (document_.model()) return true;
    // Nothing tells nouns from verbs here. Trust what is built like a compound, around a word that repeats.
    const bool compound = german_ || is_unspaced(first_character(document_.terms()[candidate.terms[0]].word)) ||
                          candidate.terms.size() > candidate.content;
    return compound && std::any_of(candidate.terms.begin(), candidate.terms.end(), [&](TermId term) {
             return document_.terms()[term].count > 1 && !document_.terms()[term].stop;
           });
  }

  std::vector<Phrase> rank() const {
    std::vector<Phrase> phrases;
    for (const auto& [key, candidate] : candidates_) {
      if (!believable(candidate)) continue;
      double weight = 0;
      for (const auto term : candidate.terms) weight += document_.terms()[term].weight;
      const auto words = static_cast<double>(candidate.content);
      // The mean of its words, more for a phrase that repeats, and for two or three words than for one.
      const double length = candidate.content == 1 ? 0.8 : candidate.content == 2 ? 1.25 : 1.3;
      const double repeats = std::log2(1.0 + candidate.count);
      const double tied = 1 + 0.1 * std::clamp(candidate.affinity, 0.0, 3.0);
      Phrase phrase;
      phrase.terms = candidate.terms;
      phrase.count = candidate.count;
      phrase.units = candidate.units;
      phrase.content = candidate.content;
      phrase.score = weight / words * length * std::pow(repeats, 0.7) * tied;
      phrase.shown = show(candidate);
      if (count_characters(phrase.shown) <= kLongestShown) phrases.push_back(std::move(phrase));
    }
    std::sort(phrases.begin(), phrases.end(), [](const Phrase& a, const Phrase& b) {
      return a.score != b.score ? a.score > b.score : a.shown < b.shown;
    });
    return phrases;
  }

  // Lower case, but for words that carry capitals inside sentences.
  std::string show(const Candidate& candidate) const {
    const auto range = candidate.first_inside.end > 0 ? candidate.first_inside : candidate.first;
    const auto raw = document_.text_of(range);
    std::string shown;
    std::uint32_t copied = 0;
    std::size_t i = 0;
    for (const auto& word : find_words(raw, document_.language().code())) {
      shown += raw.substr(copied, word.range.begin - copied);
      const auto surface = raw.substr(word.range.begin, word.range.end - word.range.begin);
      const bool noun = german_ && i + 1 == candidate.terms.size();
      const bool name = noun || (i < candidate.terms.size() && is_name(document_.terms()[candidate.terms[i]], surface));
      shown += name ? std::string(surface) : to_lower(surface, document_.language().code());
      copied = word.range.end;
      ++i;
    }
    if (shown.ends_with("'s")) shown.resize(shown.size() - 2);
    shown.erase(0, document_.language().elision(shown));
    return shown;
  }

  static bool is_name(const Term& term, std::string_view surface) {
    if (term.capitals * 2 > term.count) return true;
    if (surface.size() < 2) return false;
    // `NASA`, `iPhone`: capitals behind the first letter are meant, also where a sentence begins.
    for (const char c : surface.substr(1)) {
      if (c >= 'A' && c <= 'Z') return true;
    }
    return false;
  }

  // Part of a phrase already chosen, and hardly ever said without it; or the other way round.
  static bool repeats(const Phrase& phrase, const Phrase& chosen) {
    const auto within = [](const Phrase& small, const Phrase& large) {
      return std::search(large.terms.begin(), large.terms.end(), small.terms.begin(), small.terms.end()) !=
             large.terms.end();
    };
    if (phrase.terms.size() <= chosen.terms.size()) {
      return within(phrase, chosen) && phrase.count < chosen.count * 2 + 1;
    }
    return within(chosen, phrase) && phrase.count * 3 <= chosen.count && phrase.content > 2;
  }

  std::vector<Phrase> choose(std::vector<Phrase> ranked, std::size_t limit) const {
    std::vector<Phrase> chosen;
    for (auto& phrase : ranked) {
      if (chosen.size() >= limit) break;
      const bool again =
          std::any_of(chosen.begin(), chosen.end(), [&](const Phrase& other) { return repeats(phrase, other); });
      if (!again) chosen.push_back(std::move(phrase));
    }
    return chosen;
  }

  const Document& document_;
  const bool german_;  // writes its nouns with capitals, which is as good as a word model
  const bool romance_;
  std::unordered_map<std::string, Candidate> candidates_;
  std::unordered_map<std::string, Use> uses_;
};

}  // namespace

std::vector<Phrase> find_phrases(const Document& document, std::size_t limit) { return Finder(document).find(limit); }

}  // namespace rushes::insight
