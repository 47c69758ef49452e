#pragma once
#include "base/json.h"

#include <string>
#include <vector>

namespace rushes::insight {

// The `analysis` member of a job's result, field by field as the contract (section 5) has it.

constexpr std::size_t kTitleCount = 7;
constexpr std::size_t kTitleLength = 60;  // Unicode code points

struct TitleRewrite {
  std::vector<std::string> titles;  // kTitleCount of them, each at most kTitleLength, no two alike
  std::string reasoning;            // empty: left out of the JSON
};

struct DescriptionRewrite {
  std::string description;
  std::vector<std::string> hashtags;  // each with its leading `#`
  std::vector<std::string> key_points;
};

struct KeywordExtraction {
  std::vector<std::string> primary;     // best first
  std::vector<std::string> long_tail;   // phrases of two words and more, best first
  std::vector<std::string> trending;    // empty: cannot be known without a network
  std::vector<std::string> competitor;  // empty, likewise
};

struct Chapter {
  std::string timestamp;  // `m:ss` or `h:mm:ss`
  std::string title;
  std::string description;
};

struct Chapters {
  std::vector<Chapter> chapters;  // at least one; the first at `0:00`, rising
  std::string total_duration;     // empty where unknown: left out of the JSON
};

struct ThumbnailIdea {
  std::string text_overlay;
  std::string concept_text;
  std::vector<std::string> visual_elements;
  std::string color_scheme;  // empty where nobody knows
  std::string composition;   // empty where nobody knows
};

struct Analysis {
  TitleRewrite title_rewrite;
  DescriptionRewrite description_rewrite;
  KeywordExtraction keyword_extraction;
  Chapters chapters;
  std::vector<ThumbnailIdea> thumbnail_ideas;
  std::vector<std::string> thumbnail_ai_prompts;
};

/// The contract's JSON, with its camelCase keys in its order.
json::object to_json(const Analysis& analysis);

/// The number of code points of well-formed UTF-8, which is how the contract counts a title's characters.
std::size_t count_characters(std::string_view text) noexcept;

}  // namespace rushes::insight
