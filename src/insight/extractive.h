#pragma once
#include "insight/analyst.h"

#include <filesystem>
#include <memory>

namespace rushes::insight {

struct ExtractiveOptions {
  /// How common English words are: an n-gram model in sphinxbase's format. Read when the first English
  /// text comes, kept for the next. Where it is missing, the text's own statistics must do.
  std::filesystem::path word_model = "/usr/share/pocketsphinx/model/en-us/en-us.lm.bin";
};

/// The embedded analyst: works without a network, a key or a GPU, and invents nothing.
///
/// Every sentence, phrase and title that it returns stems from the transcript, or from the title,
/// description and tags; light repair only (first letter, final full stop, cut at a word). Words that
/// the speech engine doubted are kept out of titles and keywords. `tone` is ignored.
///
/// Cost: 10,000 words take well under a second; figures in README.md.
std::unique_ptr<Analyst> make_extractive_analyst(ExtractiveOptions options = {});

}  // namespace rushes::insight
