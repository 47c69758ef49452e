#include "insight/detail/sections.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <set>

namespace rushes::insight {
namespace {

constexpr std::size_t kPrimary = 10;
constexpr std::size_t kUsesOfAWord = 2;  // among the primary keywords
constexpr std::size_t kLongTail = 12;
constexpr std::size_t kHashtags = 8;
constexpr std::size_t kKeyPoints = 7;
constexpr std::size_t kIdeas = 3;
constexpr std::size_t kElements = 5;
constexpr std::size_t kOverlay = 32;  // characters that can be read on a thumbnail

const std::string& language_of(const Study& study) { return study.document.language().code(); }

std::uint32_t unit_count(const Study& study) { return static_cast<std::uint32_t>(study.document.units().size()); }

// `#SourdoughBread`: letters and digits only; empty where none are left.
std::string hashtag(std::string_view phrase, const std::string& language) {
  std::string tag;
  for (const auto& word : find_words(phrase, language)) {
    const auto surface = phrase.substr(word.range.begin, word.range.end - word.range.begin);
    std::string bare;
    for (const char c : surface) {
      const bool ascii_mark = (static_cast<unsigned char>(c) < 0x80U) && !std::isalnum(static_cast<unsigned char>(c));
      if (!ascii_mark) bare += c;
    }
    tag += capitalise(bare, language);
  }
  return tag.empty() || count_characters(tag) > 40 ? std::string() : "#" + tag;
}

// "Flour and wild yeast", of phrases that no other chapter is called by.
std::string name_part(const Study& study, const Part& part, std::set<const Phrase*>& used) {
  std::string name;
  const std::string conjunction(study.document.language().conjunction());
  const Phrase* before = nullptr;
  for (const auto* phrase : phrases_of(study, part.first_unit, part.last_unit)) {
    if (used.contains(phrase)) continue;
    if (before != nullptr && share_a_word(*phrase, *before)) continue;
    const auto longer =
        name.empty() ? phrase->shown : name + (conjunction.empty() ? ", " : conjunction) + phrase->shown;
    if (count_characters(longer) > kTitleLength) continue;
    name = longer;
    used.insert(phrase);
    if (before != nullptr) break;
    before = phrase;
  }
  if (name.empty()) {
    const auto units = best_units(study, part.first_unit, part.last_unit, 1);
    if (!units.empty()) name = fit(study.document.shown(study.document.units()[units[0]].range, false), kTitleLength);
  }
  return as_heading(name, language_of(study));
}

std::string describe(const Study& study, std::uint32_t first, std::uint32_t last) {
  const auto units = best_units(study, first, last, 1);
  return units.empty() ? std::string() : quote(study.document, units[0]);
}

std::vector<Chapter> authors_chapters(const Study& study) {
  auto marks = study.material.source_chapters;
  std::erase_if(marks, [&](const ChapterMark& mark) {
    return !(mark.start >= 0) || tidy(mark.title).empty() || (study.duration > 0 && mark.start >= study.duration);
  });
  std::stable_sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.start < b.start; });
  marks.erase(std::unique(marks.begin(), marks.end(),
                          [](const auto& a, const auto& b) { return std::floor(a.start) == std::floor(b.start); }),
              marks.end());
  if (marks.empty()) return {};
  marks.front().start = 0;
  const auto& units = study.document.units();
  const auto unit_at = [&](double time) {
    const auto at = std::lower_bound(units.begin(), units.end(), time - 0.5,
                                     [](const Unit& unit, double start) { return unit.start < start; });
    return static_cast<std::uint32_t>(at - units.begin());
  };
  std::vector<Chapter> chapters;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const auto first = i == 0 ? 0U : unit_at(marks[i].start);
    const auto last = i + 1 < marks.size() ? std::max(first, unit_at(marks[i + 1].start)) : unit_count(study);
    chapters.push_back({to_clock_time(marks[i].start), fit(tidy(marks[i].title), kTitleLength),
                        study.spoken ? describe(study, first, std::max(first, last)) : std::string()});
  }
  return chapters;
}

}  // namespace

std::string write_summary(const Study& study) {
  const auto count = std::clamp<std::size_t>(unit_count(study) / 6, 2, 6);
  return quote_all(study.document, best_units(study, 0, unit_count(study), count));
}

KeywordExtraction write_keywords(const Study& study) {
  KeywordExtraction keywords;
  std::set<std::string> seen;
  const auto add = [&](std::vector<std::string>& list, const std::string& word, std::size_t limit) {
    if (list.size() < limit && !word.empty() && seen.insert(to_lower(word, language_of(study))).second) {
      list.push_back(word);
    }
  };
  std::map<TermId, std::size_t> used;
  for (const auto& phrase : study.phrases) {
    if (phrase.content > 2 || keywords.primary.size() >= kPrimary) continue;
    const bool worn =
        std::any_of(phrase.terms.begin(), phrase.terms.end(), [&](TermId term) { return used[term] >= kUsesOfAWord; });
    if (worn) continue;
    for (const auto term : phrase.terms) ++used[term];
    add(keywords.primary, phrase.shown, kPrimary);
  }
  if (!study.spoken) {
    for (const auto& tag : study.material.tags) add(keywords.primary, fit(tidy(tag), kTitleLength), 2 * kPrimary);
  }
  for (const auto& phrase : study.phrases) {
    if (phrase.content >= 2) add(keywords.long_tail, phrase.shown, kLongTail);
  }
  return keywords;
}

Chapters write_chapters(const Study& study) {
  Chapters result;
  if (study.duration > 0) result.total_duration = to_clock_time(study.duration);
  result.chapters = authors_chapters(study);
  if (!result.chapters.empty()) return result;
  if (!study.spoken) {
    // What happens when cannot be told from a title.
    auto title = fit(tidy(study.material.title), kTitleLength);
    if (title.empty()) title = fit(study.document.shown(study.document.units()[0].range, false), kTitleLength);
    result.chapters.push_back({to_clock_time(0), title, describe(study, 0, unit_count(study))});
    return result;
  }
  std::set<const Phrase*> used;
  for (const auto& part : study.parts) {
    result.chapters.push_back(
        {to_clock_time(part.start), name_part(study, part, used), describe(study, part.first_unit, part.last_unit)});
  }
  return result;
}

DescriptionRewrite write_description(const Study& study, const Chapters& chapters, const KeywordExtraction& keywords) {
  DescriptionRewrite rewrite;
  rewrite.description = quote_all(study.document, best_units(study, 0, unit_count(study), 4));
  // The list that YouTube makes chapters of; worth nothing where the times are guesses.
  if (chapters.chapters.size() >= 3 && study.material.transcript.timed && study.spoken) {
    rewrite.description += "\n";
    for (const auto& chapter : chapters.chapters) rewrite.description += "\n" + chapter.timestamp + " " + chapter.title;
  }

  std::set<std::string> seen;
  for (const auto* list : {&keywords.primary, &study.material.tags}) {
    for (const auto& word : *list) {
      auto tag = hashtag(tidy(word), language_of(study));
      if (rewrite.hashtags.size() >= kHashtags || tag.empty()) continue;
      if (seen.insert(to_lower(tag, language_of(study))).second) rewrite.hashtags.push_back(std::move(tag));
    }
  }

  std::vector<std::uint32_t> points;
  for (const auto& part : study.parts) {
    for (const auto unit : best_units(study, part.first_unit, part.last_unit, 1)) points.push_back(unit);
  }
  for (const auto unit : best_units(study, 0, unit_count(study), 5)) {
    if (std::find(points.begin(), points.end(), unit) == points.end()) points.push_back(unit);
  }
  if (points.size() > kKeyPoints) points = study.ranking.pick(std::move(points), kKeyPoints);
  std::sort(points.begin(), points.end());
  for (const auto unit : points) {
    auto point = quote(study.document, unit);
    if (std::find(rewrite.key_points.begin(), rewrite.key_points.end(), point) == rewrite.key_points.end()) {
      rewrite.key_points.push_back(std::move(point));
    }
  }
  return rewrite;
}

std::vector<ThumbnailIdea> write_thumbnail_ideas(const Study& study) {
  std::vector<ThumbnailIdea> ideas;
  std::set<std::uint32_t> shown;
  for (const auto& phrase : study.phrases) {
    if (ideas.size() >= kIdeas) break;
    if (count_characters(phrase.shown) > kOverlay || phrase.units.empty()) continue;
    auto units = phrase.units;
    std::erase_if(units, [&](auto unit) { return shown.contains(unit); });
    const auto best = study.ranking.pick(std::move(units), 1);
    if (best.empty()) continue;
    shown.insert(best[0]);
    ThumbnailIdea idea;
    idea.text_overlay = as_heading(phrase.shown, language_of(study));
    idea.concept_text = quote(study.document, best[0]);
    std::vector<const Phrase*> elements{&phrase};
    for (const auto* other : phrases_of(study, best[0], best[0] + 1)) {
      const bool again = std::any_of(elements.begin(), elements.end(),
                                     [&](const Phrase* element) { return share_a_word(*other, *element); });
      if (!again && elements.size() < kElements) elements.push_back(other);
    }
    for (const auto* element : elements) idea.visual_elements.push_back(element->shown);
    ideas.push_back(std::move(idea));
  }
  return ideas;
}

std::vector<std::string> write_thumbnail_prompts(const std::vector<ThumbnailIdea>& ideas) {
  std::vector<std::string> prompts;
  for (const auto& idea : ideas) {
    std::string elements;
    for (const auto& element : idea.visual_elements) elements += (elements.empty() ? "" : ", ") + element;
    prompts.push_back(elements.empty() ? idea.concept_text : idea.concept_text + " " + elements);
  }
  return prompts;
}

}  // namespace rushes::insight
