#pragma once
#include <string_view>

namespace rushes::insight {

/// Words of one language by what they do in a text; each list in lower case, parted by blanks.
struct WordLists {
  std::string_view code;  // ISO 639-1
  std::string_view stop;
  std::string_view connectors;
  std::string_view leaning;
  std::string_view announcing;
  std::string_view conjunction;
};

/// Nothing where we have none for `code`. Lives as long as the program.
const WordLists* find_word_lists(std::string_view code) noexcept;

}  // namespace rushes::insight
