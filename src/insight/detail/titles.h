#pragma once
#include "insight/analysis.h"
#include "insight/detail/study.h"

namespace rushes::insight {

/// Seven titles: short sentences, questions and clauses of the text, and its key phrases put side by side.
TitleRewrite write_titles(const Study& study);

}  // namespace rushes::insight
