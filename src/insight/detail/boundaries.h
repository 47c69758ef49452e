#pragma once
#include "insight/detail/word_model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rushes::insight {

/// A word of a text without marks, and the silence behind it.
struct HeardWord {
  std::string word;       // lower case
  double pause = 0;       // seconds
  bool line_end = false;  // a caption ends behind it
};

/// Where sentences likely end in English without full stops: the number of words of each, in order.
///
/// The cheapest cut into sentences of 4 to 30 words, judged by what the language model says of a
/// sentence's end at each place, by pauses, and by captions' ends.
std::vector<std::uint32_t> guess_sentences(const WordModel& model, const std::vector<HeardWord>& words);

}  // namespace rushes::insight
