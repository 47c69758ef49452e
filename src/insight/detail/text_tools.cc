#include "insight/detail/text_tools.h"

#include "base/text.h"
#include "insight/analysis.h"

#include <unicode/brkiter.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/filteredbrk.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include <map>
#include <memory>

namespace rushes::insight {
namespace {

// Breaking rules run over one block at a time, so that a text without a sentence end stays cheap.
constexpr std::size_t kBlock = 16 * 1024;

constexpr std::size_t kLongestCue = 40;

std::unique_ptr<icu::BreakIterator> make_sentence_iterator(const icu::Locale& locale) {
  UErrorCode status = U_ZERO_ERROR;
  std::unique_ptr<icu::BreakIterator> plain(icu::BreakIterator::createSentenceInstance(locale, status));
  if (U_FAILURE(status)) return nullptr;
  std::unique_ptr<icu::FilteredBreakIteratorBuilder> builder(
      icu::FilteredBreakIteratorBuilder::createInstance(locale, status));
  if (U_FAILURE(status)) return plain;
  return std::unique_ptr<icu::BreakIterator>(builder->build(plain.release(), status));
}

std::unique_ptr<icu::BreakIterator> make_word_iterator(const icu::Locale& locale) {
  UErrorCode status = U_ZERO_ERROR;
  return std::unique_ptr<icu::BreakIterator>(icu::BreakIterator::createWordInstance(locale, status));
}

using MakeIterator = std::unique_ptr<icu::BreakIterator> (*)(const icu::Locale&);

// One iterator a language and thread: making one costs more than breaking a caption.
icu::BreakIterator* iterator_for(const std::string& locale, MakeIterator make,
                                 std::map<std::string, std::unique_ptr<icu::BreakIterator>>& kept) {
  const auto found = kept.find(locale);
  if (found != kept.end()) return found->second.get();
  if (kept.size() > 8) kept.clear();
  return (kept[locale] = make(icu::Locale(locale.c_str()))).get();
}

// The end of the block that begins at `begin`: behind a blank where there is one in its second half.
std::size_t block_end(std::string_view text, std::size_t begin) {
  if (text.size() - begin <= kBlock) return text.size();
  // Only this half is searched: a text without blanks would be searched from its start each time.
  const auto blank = text.substr(begin + kBlock / 2, kBlock / 2).rfind(' ');
  if (blank != std::string_view::npos) return begin + kBlock / 2 + blank + 1;
  auto end = begin + kBlock;
  while ((static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return end;
}

Range without_blanks(std::string_view text, std::size_t begin, std::size_t end) {
  while (begin < end && text[begin] == ' ') ++begin;
  while (end > begin && text[end - 1] == ' ') --end;
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

// Calls `visit(begin, end, status)` for each piece between two breaks.
template <class Visit>
void for_each_piece(std::string_view text, icu::BreakIterator* iterator, const Visit& visit) {
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = block_end(text, begin);
    UErrorCode status = U_ZERO_ERROR;
    UText block = UTEXT_INITIALIZER;
    utext_openUTF8(&block, text.data() + begin, static_cast<std::int64_t>(end - begin), &status);
    if (iterator) iterator->setText(&block, status);
    if (iterator && U_SUCCESS(status)) {
      auto last = iterator->first();
      for (auto next = iterator->next(); next != icu::BreakIterator::DONE; next = iterator->next()) {
        visit(begin + static_cast<std::size_t>(last), begin + static_cast<std::size_t>(next),
              iterator->getRuleStatus());
        last = next;
      }
    }
    utext_close(&block);
    begin = end;
  }
}

template <class Map>
std::string map_case(std::string_view text, const Map& map) {
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  UErrorCode status = U_ZERO_ERROR;
  map(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, status);
  return U_SUCCESS(status) ? result : std::string(text);
}

// The length of a cue such as `[Music]` or `(applause)` at the front of `text`; 0 where there is none.
// Round brackets are cues only where they hold one or two words: speech may be bracketed by an editor.
std::size_t cue_length(std::string_view text) {
  const char close = text.front() == '[' ? ']' : text.front() == '(' ? ')' : '\0';
  if (close == '\0') return 0;
  const auto end = text.substr(0, kLongestCue).find(close);
  if (end == std::string_view::npos) return 0;
  if (close == ')') {
    for (const std::string_view cue : {"music", "applause", "laughter", "laughs", "sighs", "inaudible", "silence"}) {
      if (equals_ignore_case(text.substr(1, end - 1), cue)) return end + 1;
    }
    return 0;
  }
  return end + 1;
}

}  // namespace

std::string tidy(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  bool blank = false;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(raw.data());
  const auto size = raw.size();
  for (std::size_t i = 0; i < size;) {
    const auto begin = i;
    if (raw[i] == '[' || raw[i] == '(') {
      if (const auto length = cue_length(raw.substr(i))) {
        i += length;
        blank = true;
        continue;
      }
    }
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    if (c < 0) continue;
    const bool arrow = c == '>' && i < size && raw[i] == '>';
    if (arrow) ++i;
    const bool note = c >= 0x2669 && c <= 0x266f;
    const auto type = u_charType(c);
    const bool invisible = type == U_CONTROL_CHAR || type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR ||
                           c == 0xfeff || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    if (arrow || note || invisible || u_isUWhiteSpace(c)) {
      blank = true;
      continue;
    }
    if (blank && !text.empty()) text += ' ';
    blank = false;
    text.append(raw.substr(begin, i - begin));
  }
  return text;
}

std::vector<Range> find_sentences(std::string_view text, const std::string& locale) {
  thread_local std::map<std::string, std::unique_ptr<icu::BreakIterator>> kept;
  std::vector<Range> sentences;
  for_each_piece(text, iterator_for(locale, make_sentence_iterator, kept),
                 [&](std::size_t begin, std::size_t end, std::int32_t) {
                   const auto range = without_blanks(text, begin, end);
                   if (range.begin < range.end) sentences.push_back(range);
                 });
  return sentences;
}

std::vector<WordRange> find_words(std::string_view text, const std::string& locale) {
  thread_local std::map<std::string, std::unique_ptr<icu::BreakIterator>> kept;
  std::vector<WordRange> words;
  for_each_piece(text, iterator_for(locale, make_word_iterator, kept),
                 [&](std::size_t begin, std::size_t end, std::int32_t status) {
                   if (status < UBRK_WORD_NUMBER) return;
                   words.push_back({{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)},
                                    status < UBRK_WORD_NUMBER_LIMIT});
                 });
  return words;
}

std::string to_lower(std::string_view text, const std::string& locale) {
  return map_case(text, [&](auto piece, auto& sink, auto& status) {
    icu::CaseMap::utf8ToLower(locale.c_str(), 0, piece, sink, nullptr, status);
  });
}

std::string to_upper(std::string_view text, const std::string& locale) {
  return map_case(text, [&](auto piece, auto& sink, auto& status) {
    icu::CaseMap::utf8ToUpper(locale.c_str(), 0, piece, sink, nullptr, status);
  });
}

std::string capitalise(std::string_view text, const std::string& locale) {
  const auto head = first_characters(text, 1);
  return to_upper(head, locale) + std::string(text.substr(head.size()));
}

std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U) continue;
    if (count == 0) break;
    --count;
  }
  return text.substr(0, i);
}

std::string fit(std::string_view text, std::size_t limit, bool mark) {
  if (count_characters(text) <= limit) return std::string(text);
  auto head = first_characters(text, mark && limit > 1 ? limit - 1 : limit);
  const auto blank = head.rfind(' ');
  // A script without blanks is cut where it stands; so is one endless word.
  if (text[head.size()] != ' ' && blank != std::string_view::npos && blank > head.size() / 3) {
    head = head.substr(0, blank);
  }
  while (!head.empty()) {
    const auto c = static_cast<UChar32>(last_character(head));
    if (!u_ispunct(c) && !u_isUWhiteSpace(c)) break;
    head.remove_suffix(static_cast<std::size_t>(U8_LENGTH(c)));
  }
  return mark ? std::string(head) + "…" : std::string(head);
}

char32_t first_character(std::string_view text) noexcept {
  if (text.empty()) return 0;
  UChar32 c = 0;
  std::int32_t i = 0;
  U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), i, static_cast<std::int32_t>(text.size()), c);
  return c < 0 ? 0 : static_cast<char32_t>(c);
}

char32_t last_character(std::string_view text) noexcept {
  if (text.empty()) return 0;
  UChar32 c = 0;
  auto i = static_cast<std::int32_t>(text.size());
  U8_PREV(reinterpret_cast<const std::uint8_t*>(text.data()), 0, i, c);
  return c < 0 ? 0 : static_cast<char32_t>(c);
}

bool is_unspaced(char32_t character) noexcept {
  UErrorCode status = U_ZERO_ERROR;
  switch (uscript_getScript(static_cast<UChar32>(character), &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return character == U'。' || character == U'、' || character == U'，' || character == U'？' ||
             character == U'！' || character == U'ー';
  }
}

bool is_upper(char32_t character) noexcept { return u_isupper(static_cast<UChar32>(character)); }

bool is_letter(char32_t character) noexcept { return u_isalpha(static_cast<UChar32>(character)); }

bool ends_sentence(char32_t character) noexcept {
  return character == U'…' || u_hasBinaryProperty(static_cast<UChar32>(character), UCHAR_S_TERM);
}

}  // namespace rushes::insight
