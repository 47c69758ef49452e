#include "insight/detail/document.h"

#include "base/text.h"
#include "insight/detail/boundaries.h"

#include <algorithm>
#include <cmath>

namespace rushes::insight {
namespace {

constexpr std::size_t kLongestWord = 64;         // bytes; anything longer is no word
constexpr std::size_t kLongestUnit = 60;         // words; a "sentence" above it is split
constexpr std::size_t kUnitBytes = 2048;         // and so is one that holds hardly any words
constexpr std::uint32_t kShortestSentence = 16;  // bytes; less may end on `Dr.`
constexpr double kPause = 0.45;                  // seconds of silence that part two units
constexpr std::uint32_t kFullUnit = 14;          // words after which a caption's end ends the unit
constexpr std::uint32_t kLongestCaption = 28;

// What part of the ASCII letters are capitals.
double share_of_capitals(const std::vector<std::string>& lines) {
  std::size_t letters = 0;
  std::size_t capitals = 0;
  for (const auto& line : lines) {
    for (const char c : line) {
      const bool capital = c >= 'A' && c <= 'Z';
      capitals += capital;
      letters += capital || (c >= 'a' && c <= 'z');
    }
  }
  return letters == 0 ? 0 : static_cast<double>(capitals) / static_cast<double>(letters);
}

bool is_glue(std::string_view between) { return between.empty() || between == " " || between == "-"; }

}  // namespace

Document::Document(const captions::Transcript& source, const Material& material, Language language,
                   const WordModel* model)
    : language_(std::move(language)), model_(model) {
  gather(source);
  split();
  align(source.words);
  weigh(material);
  by_stem_.clear();
}

void Document::gather(const captions::Transcript& source) {
  std::vector<std::string> lines;
  std::size_t size = 0;
  for (const auto& segment : source.segments) {
    lines.push_back(tidy(segment.text));
    size += lines.back().size() + 1;
    if (size <= kMaxBytes) continue;
    auto& line = lines.back();
    auto end = line.size() - std::min(line.size(), size - kMaxBytes);
    while (end > 0 && end < line.size() && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U) --end;
    line.resize(end);
    break;
  }
  const auto capitals = share_of_capitals(lines);
  cased_ = capitals > 0.004 && capitals <= 0.7;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // Captions in capitals: lower case keeps what they say, and lets words meet their kin.
    const auto line = capitals > 0.7 ? to_lower(lines[i], language_.code()) : std::move(lines[i]);
    if (line.empty()) continue;
    const auto& segment = source.segments[i];
    const bool unspaced = !text_.empty() && is_unspaced(last_character(text_)) && is_unspaced(first_character(line));
    if (!text_.empty() && !unspaced) text_ += ' ';
    anchors_.push_back({static_cast<std::uint32_t>(text_.size()), segment.start, std::max(segment.start, segment.end),
                        static_cast<std::uint32_t>(line.size())});
    text_ += line;
  }
}

double Document::time_at(std::uint32_t offset) const {
  const auto next = std::upper_bound(anchors_.begin(), anchors_.end(), offset,
                                     [](std::uint32_t at, const Anchor& anchor) { return at < anchor.offset; });
  if (next == anchors_.begin()) return 0;
  const auto& anchor = *(next - 1);
  const auto part =
      anchor.length == 0 ? 0.0 : std::min(1.0, static_cast<double>(offset - anchor.offset) / anchor.length);
  return anchor.start + part * (anchor.end - anchor.start);
}

void Document::split() {
  const auto sentences = find_sentences(text_, language_.code());
  std::size_t marked = 0;
  for (const auto& sentence : sentences) marked += ends_sentence(last_character(text_of(sentence)));
  // Quotes and brackets may stand behind the stop; a third of the sentences is enough to believe in.
  punctuated_ = marked > 0 && marked * 3 >= sentences.size() && text_.size() / marked < 600;
  if (!punctuated_ && model_) {
    guess_units();
  } else if (!punctuated_) {
    join_captions();
  } else {
    for (const auto& sentence : sentences) add_sentence(sentence);
  }
}

// ICU takes some words before a full stop for abbreviations. Where a caption ends too, it was a sentence's end.
void Document::add_sentence(Range sentence) {
  auto anchor = std::upper_bound(anchors_.begin(), anchors_.end(), sentence.begin,
                                 [](std::uint32_t at, const Anchor& next) { return at < next.offset; });
  for (; anchor != anchors_.end() && anchor->offset < sentence.end; ++anchor) {
    const Range head{sentence.begin, anchor->offset - (text_[anchor->offset - 1] == ' ' ? 1U : 0U)};
    if (head.end < head.begin + kShortestSentence || !ends_sentence(last_character(text_of(head)))) continue;
    add_long_unit(head);
    sentence.begin = anchor->offset;
  }
  add_long_unit(sentence);
}

// Neither marks nor, perhaps, pauses: the word model knows how sentences end and begin.
void Document::guess_units() {
  std::vector<HeardWord> heard;
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < anchors_.size(); ++i) {
    const auto& anchor = anchors_[i];
    const Range line{anchor.offset, anchor.offset + anchor.length};
    const auto found = find_words(text_of(line), language_.code());
    for (const auto& word : found) {
      ranges.push_back({line.begin + word.range.begin, line.begin + word.range.end});
      const auto surface = text_of(ranges.back());
      heard.push_back({surface.size() > kLongestWord ? std::string() : to_lower(surface, language_.code()), 0, false});
    }
    if (found.empty()) continue;
    heard.back().line_end = true;
    if (i + 1 < anchors_.size()) heard.back().pause = std::max(0.0, anchors_[i + 1].start - anchor.end);
  }
  std::size_t at = 0;
  for (const auto length : guess_sentences(*model_, heard)) {
    const auto next = at + length;
    // What stands between two words belongs to the first.
    const auto begin = ranges[at].begin;
    const auto end = next < ranges.size() ? ranges[next].begin : static_cast<std::uint32_t>(text_.size());
    add_long_unit({begin, end});
    at = next;
  }
}

// "Okay so now": said to gain time, and in nobody's quotation.
void Document::drop_fillers(Unit& unit) const {
  constexpr std::uint32_t kKept = 4;
  while (unit.last_token - unit.first_token > kKept && language_.is_filler(term_of(tokens_[unit.first_token]).word)) {
    unit.announced = unit.announced || language_.announces(term_of(tokens_[unit.first_token]).word);
    unit.range.begin = tokens_[++unit.first_token].range.begin;
  }
  while (unit.last_token - unit.first_token > kKept &&
         language_.is_filler(term_of(tokens_[unit.last_token - 1]).word)) {
    unit.range.end = tokens_[--unit.last_token - 1].range.end;
  }
}

// Captions that are no sentences: a pause ends a unit, and so does a caption's end once there is enough.
void Document::join_captions() {
  Range open{};
  std::uint32_t words = 0;
  double last_end = 0;
  for (std::size_t i = 0; i < anchors_.size(); ++i) {
    const auto& anchor = anchors_[i];
    const Range line{anchor.offset, std::min(anchor.offset + anchor.length, static_cast<std::uint32_t>(text_.size()))};
    const auto count = static_cast<std::uint32_t>(find_words(text_of(line), language_.code()).size());
    const bool pause = anchor.start - last_end > kPause && words >= 3;
    if (open.end > open.begin && (pause || words >= kFullUnit || words + count > kLongestCaption)) {
      add_long_unit(open);
      open = {};
    }
    if (open.end == open.begin) {
      open = line;
      words = 0;
    }
    open.end = line.end;
    words += count;
    last_end = anchor.end;
  }
  if (open.end > open.begin) add_long_unit(open);
}

void Document::add_long_unit(Range range) {
  const auto words = find_words(text_of(range), language_.code());
  if (words.size() <= kLongestUnit && range.end - range.begin <= kUnitBytes) return add_unit(range, words);
  std::vector<WordRange> part;
  auto begin = range.begin;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto word = words[i];
    part.push_back(word);
    const auto word_end = range.begin + word.range.end;
    const bool comma = word_end < text_.size() && (text_[word_end] == ',' || text_[word_end] == ';');
    const bool full = part.size() >= kLongestUnit / 2 || word_end - begin >= kUnitBytes / 2;
    if (i + 1 == words.size() || part.size() >= kLongestUnit || word_end - begin >= kUnitBytes || (full && comma)) {
      const auto shift = begin - range.begin;
      for (auto& piece : part) {
        piece.range.begin -= shift;
        piece.range.end -= shift;
      }
      const auto end = i + 1 == words.size() ? range.end : word_end;
      add_unit({begin, end}, part);
      part.clear();
      begin = word_end;
      while (begin < range.end && (text_[begin] == ' ' || text_[begin] == ',' || text_[begin] == ';')) ++begin;
    }
  }
}

void Document::add_unit(Range range, const std::vector<WordRange>& words) {
  if (words.empty()) return;
  Unit unit;
  unit.range = range;
  unit.first_token = static_cast<std::uint32_t>(tokens_.size());
  auto last_end = range.begin;
  for (const auto& word : words) {
    Token token;
    token.range = {range.begin + word.range.begin, range.begin + word.range.end};
    token.opens = tokens_.size() == unit.first_token;
    token.glued = !token.opens && is_glue(text_of({last_end, token.range.begin}));
    last_end = token.range.end;
    const auto surface = text_of(token.range);
    token.term = intern(surface, word.number);
    auto& term = terms_[token.term];
    ++term.count;
    token.capital = cased_ && !token.opens && is_upper(first_character(surface));
    term.capitals += token.capital;
    tokens_.push_back(token);
  }
  unit.last_token = static_cast<std::uint32_t>(tokens_.size());
  unit.announced = language_.announces(term_of(tokens_[unit.first_token]).word);
  unit.start = time_at(range.begin);
  unit.end = std::max(unit.start, time_at(range.end > 0 ? range.end - 1 : 0));
  if (!punctuated_) drop_fillers(unit);
  units_.push_back(unit);
}

TermId Document::intern(std::string_view word, bool number) {
  const bool endless = word.size() > kLongestWord;
  auto lower = endless ? std::string(first_characters(word, 8)) + "…" : to_lower(word, language_.code());
  for (std::size_t at = lower.find("’"); at != std::string::npos; at = lower.find("’")) lower.replace(at, 3, "'");
  lower.erase(0, language_.elision(lower));
  bool stop = endless || language_.is_stop(lower);
  auto bare = lower;
  if (language_.english() && bare.ends_with("'s")) bare.resize(bare.size() - 2);
  auto stem = stop || number ? bare : language_.stem(bare);
  stop = stop || language_.is_stop(stem);
  const auto [found, fresh] = by_stem_.try_emplace(std::move(stem), static_cast<TermId>(terms_.size()));
  if (fresh) {
    Term term;
    term.stem = found->first;
    term.word = std::move(bare);
    term.number = number;
    term.stop = stop;
    terms_.push_back(std::move(term));
  }
  return found->second;
}

// The engine's words and ours run side by side; where they differ (a mask, a hyphen) we look a little ahead.
void Document::align(const std::vector<captions::Word>& words) {
  constexpr std::size_t kAhead = 8;
  std::size_t at = 0;
  for (auto& token : tokens_) {
    const auto surface = words.empty() ? std::string() : to_lower(text_of(token.range), language_.code());
    for (std::size_t i = at; i < std::min(at + kAhead, words.size()); ++i) {
      if (!equals_ignore_case(trim(words[i].text), surface)) continue;
      token.confidence = static_cast<float>(std::isfinite(words[i].confidence) ? words[i].confidence : 0);
      at = i + 1;
      break;
    }
    token.doubtful = token.confidence < kSure;
    if (!token.doubtful) ++terms_[token.term].sure;
  }
  for (auto& unit : units_) {
    float sum = 0;
    for (auto i = unit.first_token; i < unit.last_token; ++i) sum += tokens_[i].confidence;
    unit.confidence = sum / static_cast<float>(unit.last_token - unit.first_token);
  }
}

std::string Document::shown(const Unit& unit) const { return shown(unit.range, true); }

std::string Document::shown(Range range, bool stop) const {
  std::string words;
  const auto raw = text_of(range);
  if (language_.english() && !cased_) {
    // "i" and "i'm" are the only words that English always writes with a capital.
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const bool starts = i == 0 || raw[i - 1] == ' ';
      const bool ends = i + 1 == raw.size() || raw[i + 1] == ' ' || raw[i + 1] == '\'';
      words += raw[i] == 'i' && starts && ends ? 'I' : raw[i];
    }
  } else {
    words = raw;
  }
  while (!words.empty() && (words.back() == ',' || words.back() == ';' || words.back() == ' ' || words.back() == '-')) {
    words.pop_back();
  }
  auto text = capitalise(words, language_.code());
  if (!stop || text.empty()) return text;
  const auto last = last_character(text);
  const bool closed =
      ends_sentence(last) || last == U'"' || last == U'”' || last == U'»' || last == U')' || last == U':';
  if (!closed) text += is_unspaced(last) ? "。" : ".";
  return text;
}

}  // namespace rushes::insight
