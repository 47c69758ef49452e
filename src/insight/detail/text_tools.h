#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::insight {

/// A stretch of a text, in bytes.
struct Range {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// What a person would read of `raw`: well-formed UTF-8 on one line. Broken bytes, control characters,
/// cues such as `[Music]`, notes and speaker arrows are gone, runs of blanks are one blank.
std::string tidy(std::string_view raw);

/// The sentences of `text` (UTF-8, well-formed), without blanks around them. Never splits behind the
/// abbreviations that ICU knows in `locale`.
std::vector<Range> find_sentences(std::string_view text, const std::string& locale);

struct WordRange {
  Range range;
  bool number = false;
};

/// The words of `text`: no blanks, punctuation or symbols. CJK and Thai go by ICU's dictionaries.
std::vector<WordRange> find_words(std::string_view text, const std::string& locale);

/// Lower case, in the way of `locale`.
std::string to_lower(std::string_view text, const std::string& locale);

/// The first letter in upper case, the rest as it was.
std::string capitalise(std::string_view text, const std::string& locale);

/// Upper case, in the way of `locale`.
std::string to_upper(std::string_view text, const std::string& locale);

/// The first `count` code points of `text`, or all of it.
std::string_view first_characters(std::string_view text, std::size_t count) noexcept;

/// `text` in at most `limit` code points, cut behind a word and without punctuation at the cut, with
/// `…` where more than a word was lost and `mark` is set.
std::string fit(std::string_view text, std::size_t limit, bool mark = false);

/// The first code point; 0 where there is none.
char32_t first_character(std::string_view text) noexcept;
/// The last code point; 0 where there is none.
char32_t last_character(std::string_view text) noexcept;

/// Whether words of this script stand beside each other without blanks (Chinese, Japanese, Thai…).
bool is_unspaced(char32_t character) noexcept;
bool is_upper(char32_t character) noexcept;
bool is_letter(char32_t character) noexcept;
/// Whether a sentence may end with this: `.`, `?`, `!`, `…` and their kin in other scripts.
bool ends_sentence(char32_t character) noexcept;

}  // namespace rushes::insight
