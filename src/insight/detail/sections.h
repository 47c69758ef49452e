#pragma once
#include "insight/analysis.h"
#include "insight/detail/study.h"

#include <string>
#include <vector>

namespace rushes::insight {

// The parts of an analysis beside its titles, each put together from a study.

std::string write_summary(const Study& study);
KeywordExtraction write_keywords(const Study& study);
/// The author's own chapters where there are any, else the study's parts.
Chapters write_chapters(const Study& study);
DescriptionRewrite write_description(const Study& study, const Chapters& chapters, const KeywordExtraction& keywords);
std::vector<ThumbnailIdea> write_thumbnail_ideas(const Study& study);
/// One a thumbnail idea: what should be seen, nothing about style.
std::vector<std::string> write_thumbnail_prompts(const std::vector<ThumbnailIdea>& ideas);

}  // namespace rushes::insight
