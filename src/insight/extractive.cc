#include "insight/extractive.h"

#include "base/log.h"
#include "base/text.h"
#include "insight/detail/sections.h"
#include "insight/detail/study.h"
#include "insight/detail/titles.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace rushes::insight {
namespace {

constexpr std::size_t kPhrases = 150;

bool has_words(const std::string& text) { return !find_words(tidy(text), "").empty(); }

bool has_words(const captions::Transcript& transcript) {
  return std::any_of(transcript.segments.begin(), transcript.segments.end(),
                     [](const captions::Segment& segment) { return has_words(segment.text); });
}

// A description's line without its links, which are no language.
std::string without_links(std::string_view line) {
  std::string kept;
  while (!line.empty()) {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    const bool link = word.find("://") != std::string_view::npos || word.starts_with("www.");
    if (!link && !word.empty()) kept.append(kept.empty() ? "" : " ").append(word);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return kept;
}

// What is known of a video in which nobody speaks, as if it had been said.
captions::Transcript stand_in(const Material& material) {
  captions::Transcript transcript;
  transcript.timed = false;
  const auto add = [&](std::string text) {
    if (!has_words(text)) return;
    const auto clean = tidy(text);
    if (!ends_sentence(last_character(clean))) text += ".";
    transcript.segments.push_back({0, 0, std::move(text)});
  };
  add(material.title);
  std::string_view rest = material.description;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    add(without_links(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const auto& tag : material.tags) add(tag);
  return transcript;
}

double end_of(const captions::Transcript& transcript) {
  double end = 0;
  for (const auto& segment : transcript.segments) {
    if (std::isfinite(segment.end)) end = std::max(end, segment.end);
  }
  return end;
}

class ExtractiveAnalyst final : public Analyst {
 public:
  explicit ExtractiveAnalyst(ExtractiveOptions options) : options_(std::move(options)) {}

  void prepare() override {
    Material sample;
    sample.language = "en";
    sample.transcript.language = "en";
    sample.transcript.segments = {{0, 4, "The boats return to the harbor, and the market opens."},
                                  {4, 8, "People buy fresh fish there before the sun is up."}};
    (void)analyse(sample, {});  // loads the word model, and ICU what it reads at first use
  }

  Result<std::string> summarise(const Material& material) override {
    return with_study(material, false, {}, [](const Study& study) { return write_summary(study); });
  }

  Result<Analysis> analyse(const Material& material, const Progress& progress) override {
    return with_study(material, true, progress, [&](const Study& study) {
      Analysis analysis;
      analysis.title_rewrite = write_titles(study);
      if (progress) progress(0.8);
      analysis.keyword_extraction = write_keywords(study);
      analysis.chapters = write_chapters(study);
      analysis.description_rewrite = write_description(study, analysis.chapters, analysis.keyword_extraction);
      analysis.thumbnail_ideas = write_thumbnail_ideas(study);
      analysis.thumbnail_ai_prompts = write_thumbnail_prompts(analysis.thumbnail_ideas);
      if (progress) progress(1);
      return analysis;
    });
  }

  std::string engine() const override { return "extractive"; }

 private:
  // Reads the material and hands the study to `write`, which must not keep it. A summary needs neither phrases nor
  // parts.
  template <class Write>
  auto with_study(const Material& material, bool whole, const Progress& progress, const Write& write)
      -> Result<decltype(write(std::declval<const Study&>()))> {
    const bool spoken = has_words(material.transcript);
    std::optional<captions::Transcript> other;
    if (!spoken) other = stand_in(material);
    const auto& source = spoken ? material.transcript : *other;
    if (source.empty()) {
      return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                             "There is no word to analyse: the transcript is empty, and so are title and description. "
                             "Give a video in which somebody speaks, or a transcript with text.");
    }
    Language language(language_of(source, material));
    const auto* model = language.english() ? word_model() : nullptr;
    if (progress) progress(0.1);
    const Document document(source, material, std::move(language), model);
    if (document.units().empty()) {
      return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                             "There is no word to analyse: the transcript holds signs only. Give one with text.");
    }
    if (progress) progress(0.3);
    const Ranking ranking(document);
    if (progress) progress(0.5);
    Study study{material, document, ranking, {}, {}, 0, spoken};
    if (!whole) return write(study);
    study.phrases = find_phrases(document, kPhrases);
    study.duration = material.duration > 0 && std::isfinite(material.duration) ? material.duration
                     : spoken                                                  ? end_of(source)
                                                                               : 0;
    study.parts = spoken ? find_parts(document, material.scene_cuts, study.duration)
                         : std::vector<Part>{{0, 0, static_cast<std::uint32_t>(document.units().size())}};
    if (progress) progress(0.7);
    return write(study);
  }

  // The text's own language: what its source says, unless the text itself clearly says otherwise.
  static std::string language_of(const captions::Transcript& source, const Material& material) {
    std::string sample;
    for (const auto& segment : source.segments) {
      if (sample.size() > 32 * 1024) break;
      sample += tidy(std::string_view(segment.text).substr(0, 32 * 1024)) + " ";
    }
    const auto detected = detect_language(sample, source.language);
    if (!detected.empty() && sample.size() > 200) return detected;
    if (!source.language.empty()) return source.language;
    if (!detected.empty()) return detected;
    return material.language;
  }

  const WordModel* word_model() {
    if (!tried_) {
      tried_ = true;
      model_ = WordModel::open(options_.word_model);
      if (!model_)
        log::warning("insight", "no word model at {}: key phrases are rougher", options_.word_model.string());
    }
    return model_.get();
  }

  ExtractiveOptions options_;
  bool tried_ = false;
  std::unique_ptr<WordModel> model_;
};

}  // namespace

std::unique_ptr<Analyst> make_extractive_analyst(ExtractiveOptions options) {
  return std::make_unique<ExtractiveAnalyst>(std::move(options));
}

}  // namespace rushes::insight
