#include "insight/analysis.h"

namespace rushes::insight {
namespace {

json::object to_json(const TitleRewrite& rewrite) {
  json::object object{{"titles", to_json_array(rewrite.titles)}};
  if (!rewrite.reasoning.empty()) object["reasoning"] = rewrite.reasoning;
  return object;
}

json::object to_json(const DescriptionRewrite& rewrite) {
  return {{"description", rewrite.description},
          {"hashtags", to_json_array(rewrite.hashtags)},
          {"keyPoints", to_json_array(rewrite.key_points)}};
}

json::object to_json(const KeywordExtraction& keywords) {
  return {{"primaryKeywords", to_json_array(keywords.primary)},
          {"longTailKeywords", to_json_array(keywords.long_tail)},
          {"trendingKeywords", to_json_array(keywords.trending)},
          {"competitorKeywords", to_json_array(keywords.competitor)}};
}

json::object to_json(const Chapters& chapters) {
  json::array list;
  for (const auto& chapter : chapters.chapters) {
    list.push_back(
        json::object{{"timestamp", chapter.timestamp}, {"title", chapter.title}, {"description", chapter.description}});
  }
  json::object object{{"chapters", std::move(list)}};
  if (!chapters.total_duration.empty()) object["totalDuration"] = chapters.total_duration;
  return object;
}

json::object to_json(const ThumbnailIdea& idea) {
  return {{"textOverlay", idea.text_overlay},
          {"concept", idea.concept_text},
          {"visualElements", to_json_array(idea.visual_elements)},
          {"colorScheme", idea.color_scheme},
          {"composition", idea.composition}};
}

}  // namespace

json::object to_json(const Analysis& analysis) {
  json::array ideas;
  for (const auto& idea : analysis.thumbnail_ideas) ideas.push_back(to_json(idea));
  return {{"titleRewrite", to_json(analysis.title_rewrite)},
          {"descriptionRewrite", to_json(analysis.description_rewrite)},
          {"keywordExtraction", to_json(analysis.keyword_extraction)},
          {"chapters", to_json(analysis.chapters)},
          {"thumbnailIdeas", std::move(ideas)},
          {"thumbnailAIPrompts", to_json_array(analysis.thumbnail_ai_prompts)}};
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  return count;
}

}  // namespace rushes::insight
