#include "insight/detail/titles.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace rushes::insight {
namespace {

constexpr std::size_t kMostQuoted = 4;    // titles that are clauses of the text
constexpr std::size_t kUnitsRead = 4000;  // units searched for clauses
constexpr std::size_t kPhrasesNamed = 5;  // in the reasoning

struct Clause {
  std::string text;
  double score = 0;
  std::vector<TermId> terms;  // with content
};

bool opens_question(std::string_view word) {
  return word == "how" || word == "why" || word == "what" || word == "where" || word == "which";
}

// Where commas are missing, a clause mostly begins with one of these.
bool joins_clauses(std::string_view word) {
  for (const std::string_view opener :
       {"and", "but", "because", "so", "then", "now", "which", "while", "if", "when", "until", "although", "once"}) {
    if (word == opener) return true;
  }
  return false;
}

// A clause that begins with one of these cannot stand without the rest of its sentence.
bool depends(std::string_view word) {
  for (const std::string_view opener :
       {"when",    "if",     "as",      "because", "after",   "before", "while",   "once",   "although", "since",
        "though",  "until",  "unless",  "with",    "without", "in",     "at",      "on",     "for",      "by",
        "from",    "during", "after",   "wenn",    "weil",    "als",    "nachdem", "obwohl", "quand",    "si",
        "lorsque", "comme",  "cuando",  "aunque",  "que",     "who",    "not",     "even",   "like",     "of",
        "about",   "into",   "through", "between", "among",   "under",  "over"}) {
    if (word == opener) return true;
  }
  return false;
}

class TitleWriter {
 public:
  explicit TitleWriter(const Study& study) : study_(study), document_(study.document) {}

  TitleRewrite write() {
    for (auto& clause : clauses()) {
      if (titles_.size() >= kMostQuoted) break;
      add_clause(clause);
    }
    join_phrases();
    add(as_heading(fit(tidy(study_.material.title), kTitleLength), language()));
    fill();
    TitleRewrite rewrite;
    rewrite.titles = std::move(titles_);
    rewrite.reasoning = reasoning();
    return rewrite;
  }

 private:
  const std::string& language() const { return document_.language().code(); }

  bool add(std::string title) {
    if (titles_.size() >= kTitleCount) return false;
    title = std::string(trim(title));
    if (title.empty() || count_characters(title) > kTitleLength) return false;
    if (!keys_.insert(to_lower(title, language())).second) return false;
    titles_.push_back(std::move(title));
    return true;
  }

  // Two clauses with the same words say the same.
  void add_clause(const Clause& clause) {
    const auto alike = std::any_of(quoted_.begin(), quoted_.end(), [&](const std::vector<TermId>& other) {
      const auto shared = std::count_if(clause.terms.begin(), clause.terms.end(), [&](TermId term) {
        return std::find(other.begin(), other.end(), term) != other.end();
      });
      return static_cast<std::size_t>(shared) * 3 >= std::min(clause.terms.size(), other.size()) * 2;
    });
    if (!alike && add(as_heading(clause.text, language()))) quoted_.push_back(clause.terms);
  }

  std::vector<Clause> clauses() const {
    std::vector<std::uint32_t> units(document_.units().size());
    for (std::uint32_t i = 0; i < units.size(); ++i) units[i] = i;
    if (units.size() > kUnitsRead) units = study_.ranking.pick(std::move(units), kUnitsRead);
    std::vector<Clause> found;
    for (const auto unit : units) read(unit, found);
    std::stable_sort(found.begin(), found.end(), [](const Clause& a, const Clause& b) { return a.score > b.score; });
    if (found.size() > 200) found.resize(200);
    return found;
  }

  void read(std::uint32_t index, std::vector<Clause>& found) const {
    const auto& unit = document_.units()[index];
    const auto& tokens = document_.tokens();
    auto begin = unit.first_token;
    while (begin < unit.last_token) {
      auto end = begin + 1;
      while (end < unit.last_token && !parted(tokens[end - 1], tokens[end])) ++end;
      const bool whole = begin == unit.first_token && end == unit.last_token;
      const auto& first = document_.term_of(tokens[begin]).word;
      if (whole || (begin == unit.first_token && !depends(first))) {
        consider(index, begin, end, whole ? 1.0 : 0.7, found);
      }
      if (document_.language().english()) {
        for (auto i = begin; i + 2 < end; ++i) {
          const auto& word = document_.term_of(tokens[i]).word;
          const bool how_to = word == "how" && document_.text_of(tokens[i + 1].range) == "to";
          if (how_to) consider(index, i, end, 1.5, found);
          if (!how_to && i > begin && (word == "why" || word == "how")) consider(index, i, end, 1.0, found);
        }
      }
      begin = end;
    }
  }

  // Whether a mark that ends a clause stands between two words.
  bool parted(const Token& left, const Token& right) const {
    if (!document_.punctuated() && document_.language().english() && joins_clauses(document_.term_of(right).word)) {
      return true;
    }
    const auto between = document_.text_of({left.range.end, right.range.begin});
    return between.find_first_of(",;:()\"?!.") != std::string_view::npos ||
           between.find("–") != std::string_view::npos || between.find("—") != std::string_view::npos ||
           between.find("、") != std::string_view::npos || between.find("，") != std::string_view::npos ||
           between.find(" - ") != std::string_view::npos;
  }

  void consider(std::uint32_t unit_index, std::uint32_t begin, std::uint32_t end, double factor,
                std::vector<Clause>& found) const {
    const auto& tokens = document_.tokens();
    const auto& unit = document_.units()[unit_index];
    if (end - begin < 3 || end - begin > 12) return;
    const auto& first = document_.term_of(tokens[begin]);
    const auto& last = document_.term_of(tokens[end - 1]);
    if (document_.language().leans_back(first.word) || (last.stop && !last.number)) return;
    Clause clause;
    for (auto i = begin; i < end; ++i) {
      const auto& term = document_.term_of(tokens[i]);
      if (tokens[i].doubtful || (document_.language().english() && speaks_of_self(term.word))) return;
      if (term.weight <= 0) continue;
      if (std::find(clause.terms.begin(), clause.terms.end(), tokens[i].term) != clause.terms.end()) continue;
      clause.terms.push_back(tokens[i].term);
      clause.score += term.weight;
    }
    if (clause.terms.size() < 2) return;
    const Range range{tokens[begin].range.begin, tokens[end - 1].range.end};
    clause.text = document_.shown(range, false);
    const auto rest = document_.text_of({range.end, unit.range.end});
    const bool asks = (rest == "?" || rest == "？") && end == unit.last_token;
    if (asks) clause.text += rest;
    if (asks && document_.text_of({0, range.begin}).ends_with("¿")) clause.text = "¿" + clause.text;
    if (count_characters(clause.text) > kTitleLength) return;
    if (asks && opens_question(first.word)) factor *= 1.5;
    // Dense in what matters, and not a stub.
    clause.score *= factor / (2.0 + end - begin) * (0.5 + study_.ranking.score(unit_index));
    found.push_back(std::move(clause));
  }

  static bool speaks_of_self(std::string_view word) {
    return word == "i" || word == "i'm" || word == "i'll" || word == "my" || word == "me" || word == "subscribe";
  }

  std::string joined(const std::vector<const Phrase*>& phrases) const {
    std::string text;
    const auto conjunction = document_.language().conjunction();
    for (std::size_t i = 0; i < phrases.size(); ++i) {
      if (i > 0) text += i + 1 == phrases.size() && !conjunction.empty() ? std::string(conjunction) : comma();
      text += phrases[i]->shown;
    }
    return text;
  }

  std::string colon() const { return language() == "zh" || language() == "ja" ? "：" : ": "; }

  std::string comma() const { return language() == "zh" || language() == "ja" ? "、" : ", "; }

  // The first `count` of `phrases` that have no word in common with each other or with `but`.
  static std::vector<const Phrase*> unlike(const std::vector<const Phrase*>& phrases, std::size_t count,
                                           const Phrase* but = nullptr) {
    std::vector<const Phrase*> chosen;
    for (const auto* phrase : phrases) {
      if (chosen.size() == count) break;
      const bool shares =
          std::any_of(chosen.begin(), chosen.end(), [&](const Phrase* other) { return share_a_word(*phrase, *other); });
      if (!shares && (but == nullptr || !share_a_word(*phrase, *but))) chosen.push_back(phrase);
    }
    return chosen;
  }

  // "Coffee Beans: Roast and Espresso Machine": the head, and what else is named where it is spoken of.
  // With `fresh`, only what no such title named before.
  void add_headed(const Phrase& head, bool fresh) {
    if (fresh && named_.contains(&head)) return;
    std::vector<const Phrase*> near;
    std::ptrdiff_t most = 0;
    for (const auto& part : study_.parts) {
      const auto from = std::lower_bound(head.units.begin(), head.units.end(), part.first_unit);
      const auto to = std::lower_bound(from, head.units.end(), part.last_unit);
      if (to - from <= most) continue;
      most = to - from;
      near = phrases_of(study_, part.first_unit, part.last_unit);
    }
    if (fresh) std::erase_if(near, [&](const Phrase* phrase) { return named_.contains(phrase); });
    for (std::size_t count = 2; count > 0; --count) {
      const auto tail = unlike(near, count, &head);
      if (tail.size() != count || !add(as_heading(head.shown + colon() + joined(tail), language()))) continue;
      named_.insert(tail.begin(), tail.end());
      named_.insert(&head);
      return;
    }
  }

  void join_phrases() {
    const std::size_t kept_for_own = study_.material.title.empty() ? 0 : 1;
    const auto full = [&] { return titles_.size() + kept_for_own >= kTitleCount; };
    std::vector<const Phrase*> all;
    for (const auto& phrase : study_.phrases) all.push_back(&phrase);
    // What the whole is about: one phrase of each of the parts that matter most.
    std::vector<const Phrase*> across;
    for (const auto& part : study_.parts) {
      const auto of_part = phrases_of(study_, part.first_unit, part.last_unit);
      if (!of_part.empty()) across.push_back(of_part[0]);
    }
    std::stable_sort(across.begin(), across.end(), [](auto* a, auto* b) { return a->score > b->score; });
    auto whole = unlike(across, 3);
    if (whole.size() < 3) whole = unlike(all, 3);
    std::sort(whole.begin(), whole.end(), [](auto* a, auto* b) { return a->units.front() < b->units.front(); });
    if (!full() && whole.size() > 1) add(as_heading(joined(whole), language()));
    for (const bool fresh : {true, false}) {
      for (const auto* head : unlike(all, 2 * kTitleCount)) {
        if (!full()) add_headed(*head, fresh);
      }
    }
  }

  // Where the text is too short for seven good ones: its phrases and pieces in every honest arrangement.
  void fill() {
    std::vector<std::string> pieces;
    for (const auto& phrase : study_.phrases) pieces.push_back(phrase.shown);
    const auto& units = document_.units();
    for (std::uint32_t i = 0; i < std::min<std::size_t>(units.size(), 20); ++i) {
      pieces.push_back(fit(document_.shown(units[i].range, false), kTitleLength));
    }
    for (const auto& tag : study_.material.tags) pieces.push_back(fit(tidy(tag), kTitleLength));
    const auto& tokens = document_.tokens();
    for (std::size_t i = 0; i < std::min<std::size_t>(tokens.size(), 20); ++i) {
      pieces.push_back(fit(document_.text_of(tokens[i].range), kTitleLength));
    }
    if (pieces.size() > 24) pieces.resize(24);
    const std::string conjunction(document_.language().conjunction());
    for (const auto& piece : pieces) {
      if (find_words(piece, language()).size() > 1) add(as_heading(piece, language()));
    }
    for (const std::string& between : {conjunction.empty() ? comma() : conjunction, colon(), comma()}) {
      for (std::size_t i = 0; i < pieces.size() && titles_.size() < kTitleCount; ++i) {
        for (std::size_t j = i + 1; j < pieces.size() && titles_.size() < kTitleCount; ++j) {
          const auto a = to_lower(pieces[i], language());
          const auto b = to_lower(pieces[j], language());
          if (a.find(b) != std::string::npos || b.find(a) != std::string::npos) continue;
          add(as_heading(pieces[i] + between + pieces[j], language()));
        }
      }
    }
    for (const auto& piece : pieces) add(as_heading(piece, language()));
    // Hardly a word was said. Cut what there is shorter, then set it in marks.
    for (const auto& piece : pieces) {
      for (std::size_t length = std::min(kTitleLength, count_characters(piece)); length > 2; --length) {
        if (titles_.size() >= kTitleCount) return;
        if (length % 4 == 0) add(std::string(first_characters(piece, length)));
      }
    }
    const auto word = pieces.empty() ? std::string() : as_heading(fit(pieces.front(), 24), language());
    for (const std::string_view form : {"“{0}”", "{0} …", "{0}: {0}", "{0}, {0}", "{0} – {0}", "{0} · {0}", "({0})"}) {
      add(fmt::format(fmt::runtime(form), word));
    }
  }

  std::string reasoning() const {
    std::string text;
    for (std::size_t i = 0; i < std::min(kPhrasesNamed, study_.phrases.size()); ++i) {
      const auto& phrase = study_.phrases[i];
      text += fmt::format("{}{} ({:.1f}, {}×)", i == 0 ? "Key phrases by weight: " : ", ", phrase.shown, phrase.score,
                          phrase.count);
    }
    return text.empty() ? text : text + ".";
  }

  const Study& study_;
  const Document& document_;
  std::vector<std::string> titles_;
  std::set<std::string> keys_;
  std::vector<std::vector<TermId>> quoted_;
  std::set<const Phrase*> named_;
};

}  // namespace

TitleRewrite write_titles(const Study& study) { return TitleWriter(study).write(); }

}  // namespace rushes::insight
