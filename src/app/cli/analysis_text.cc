#include "app/cli/analysis_text.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace rushes::app::cli {
namespace {

const json::object kNone;
const json::array kNothing;

const json::object& object_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_object() ? found->get_object() : kNone;
}

const json::array& list_at(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : kNothing;
}

std::string text_at(const json::object& from, std::string_view key) { return string_member(from, key).value_or(""); }

std::string joined(const json::array& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) {
    if (!text.is_string() || text.get_string().empty()) continue;
    if (!all.empty()) all += between;
    all += std::string_view(text.get_string());
  }
  return all;
}

/// Collects the page, part by part.
class Page {
 public:
  Page(const Terminal& terminal, std::size_t columns)
      : terminal_(terminal), columns_(std::max<std::size_t>(columns, 24)) {}

  void heading(std::string_view words) {
    if (!text_.empty()) text_ += '\n';
    text_ += paint(terminal_, Style::bold, words) + "\n";
  }
  void line(std::string_view words) { text_ += std::string(words) + "\n"; }

  /// Text in as many lines as it takes, all but the first set in under the end of `lead`.
  void paragraph(std::string_view lead, std::string_view words) {
    const auto indent = display_width(lead);
    bool first = true;
    for (const auto& part : wrap(words, columns_ - indent)) {
      text_ +=
          (first ? paint(terminal_, Style::faint, lead) : std::string(part.empty() ? 0 : indent, ' ')) + part + "\n";
      first = false;
    }
  }
  void part(std::string_view title, std::string_view words) {
    if (trim(words).empty()) return;
    heading(title);
    paragraph("  ", words);
  }
  void list(std::string_view title, const json::array& texts, bool numbered) {
    if (joined(texts, " ").empty()) return;
    heading(title);
    int number = 0;
    for (const auto& text : texts) {
      if (!text.is_string()) continue;
      ++number;
      const auto lead = std::string(number < 10 ? " " : "") + std::to_string(number) + "  ";
      paragraph(numbered ? "  " + lead : terminal_.utf8 ? "  • " : "  * ", text.get_string());
    }
  }
  const Terminal& terminal() const { return terminal_; }
  std::string take() { return std::move(text_); }

 private:
  const Terminal terminal_;
  const std::size_t columns_;
  std::string text_;
};

std::string facts_of(const json::object& video) {
  std::string facts;
  const auto add = [&](const std::string& fact) {
    if (fact.empty()) return;
    facts += (facts.empty() ? "" : " · ") + fact;
  };
  add(text_at(video, "duration"));
  for (const auto* key : {"views", "likes", "comments"}) {
    const auto count = int_member(video, key).value_or(0);
    if (count > 0) add(std::to_string(count) + " " + key);
  }
  const auto published = text_at(video, "publishedAt");
  if (!published.empty()) add("published " + published.substr(0, 10));
  return facts;
}

void add_keywords(Page& page, const json::object& keywords) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKinds{{
      {"primaryKeywords", "primary    "},
      {"longTailKeywords", "long tail  "},
      {"trendingKeywords", "trending   "},
      {"competitorKeywords", "competitor "},
  }};
  bool headed = false;
  for (const auto& [key, words] : kKinds) {
    const auto all = joined(list_at(keywords, key), ", ");
    if (all.empty()) continue;
    if (!headed) page.heading("Keywords");
    headed = true;
    page.paragraph("  " + std::string(words), all);
  }
}

void add_chapters(Page& page, const json::array& chapters) {
  bool headed = false;
  for (const auto& item : chapters) {
    if (!item.is_object()) continue;
    if (!headed) page.heading("Chapters");
    headed = true;
    const auto& chapter = item.get_object();
    const auto time = printable(text_at(chapter, "timestamp"));
    const auto lead = std::string(time.size() < 8 ? 8 - time.size() : 0, ' ') + time + "  ";
    page.paragraph(lead, text_at(chapter, "title"));
    const auto description = text_at(chapter, "description");
    if (!description.empty()) page.paragraph("          ", description);
  }
}

void add_thumbnails(Page& page, const json::object& result, const json::object& analysis) {
  const auto& frames = list_at(result, "thumbnails");
  if (!frames.empty()) {
    page.heading("Thumbnails");
    for (const auto& item : frames) {
      if (!item.is_object()) continue;
      const auto& frame = item.get_object();
      const auto* time = frame.if_contains("time");
      const auto at = time != nullptr && time->is_number() ? to_clock_time(time->to_number<double>()) : std::string();
      page.paragraph("  " + std::string(at.size() < 6 ? 6 - at.size() : 0, ' ') + at + "  ", text_at(frame, "url"));
    }
  }
  bool headed = false;
  for (const auto& item : list_at(analysis, "thumbnailIdeas")) {
    if (!item.is_object()) continue;
    if (!headed) page.heading("Thumbnail ideas");
    headed = true;
    const auto& idea = item.get_object();
    auto words = text_at(idea, "concept");
    const auto overlay = text_at(idea, "textOverlay");
    if (!overlay.empty()) words = "“" + overlay + "”" + (words.empty() ? "" : ": " + words);
    page.paragraph(page.terminal().utf8 ? "  • " : "  * ", words);
  }
}

}  // namespace

std::string analysis_text(const json::object& result, const Terminal& terminal, std::size_t columns, bool transcript) {
  Page page(terminal, columns);
  const auto& video = object_at(result, "video");
  const auto& analysis = object_at(result, "analysis");
  const auto title = printable(text_at(video, "title"));
  page.heading(title.empty() ? "Analysis" : title);
  if (const auto facts = facts_of(video); !facts.empty()) page.paragraph("", facts);

  page.part("Summary", text_at(result, "summary"));
  const auto& rewrite = object_at(analysis, "titleRewrite");
  page.list("Titles", list_at(rewrite, "titles"), true);
  const auto& description = object_at(analysis, "descriptionRewrite");
  page.part("Description", text_at(description, "description"));
  page.part("Hashtags", joined(list_at(description, "hashtags"), " "));
  page.list("Key points", list_at(description, "keyPoints"), false);
  add_keywords(page, object_at(analysis, "keywordExtraction"));
  add_chapters(page, list_at(object_at(analysis, "chapters"), "chapters"));
  add_thumbnails(page, result, analysis);

  const auto& spoken = object_at(result, "transcript");
  if (!spoken.empty()) {
    page.heading("Transcript");
    const auto language = text_at(spoken, "language");
    const auto captions = text_at(spoken, "vttUrl");
    if (!language.empty()) page.paragraph("  language   ", language);
    if (!captions.empty()) page.paragraph("  captions   ", captions);
    if (transcript) page.paragraph("  ", text_at(spoken, "text"));
  }
  const auto& engine = object_at(result, "engine");
  if (!engine.empty()) {
    auto words = text_at(engine, "transcription");
    const auto by = text_at(engine, "analysis");
    if (!words.empty()) words = "speech by " + words + ", ";
    page.heading("Made with");
    page.paragraph("  ", words + "analysis by " + by);
  }
  return page.take();
}

}  // namespace rushes::app::cli
