#pragma once
#include "insight/detail/document.h"

#include <string>
#include <vector>

namespace rushes::insight {

/// A run of words that names something the text is about.
struct Phrase {
  std::vector<TermId> terms;  // with connectors between: "speed of light" has three
  std::string shown;          // as the text has it, lower case but for names
  double score = 0;
  std::uint32_t count = 0;
  std::vector<std::uint32_t> units;  // where it stands, rising; at most the first 1024

  /// Words with content; connectors do not count.
  std::size_t content = 0;
};

/// The text's key phrases, best first, no two of one stem, at most `limit`.
///
/// Candidates are runs of words with content, as in RAKE; their weight is how often they come here and
/// how seldom elsewhere. Words that the speech engine doubted end a run. With a word model phrases end
/// on nouns.
std::vector<Phrase> find_phrases(const Document& document, std::size_t limit);

}  // namespace rushes::insight
