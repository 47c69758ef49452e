#include "speech/detail/segments.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace rushes::speech::detail {
namespace {

constexpr double kPause = 0.5;  // seconds
constexpr double kLongest = 7;  // seconds
constexpr std::size_t kMostBytes = 84;

using Words = std::span<const captions::Word>;

std::string join(Words words) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += ' ';
    text += word.text;
  }
  return text;
}

/// Adds the words as one caption, or halves them at the longest pause around their middle until they fit.
void add(std::vector<captions::Segment>& segments, Words words) {
  auto text = join(words);
  const auto fits = text.size() <= kMostBytes && words.back().end - words.front().start <= kLongest;
  if (fits || words.size() == 1) {
    segments.push_back({words.front().start, words.back().end, std::move(text)});
    return;
  }
  const auto from = std::max<std::size_t>(1, words.size() / 3);
  const auto to = std::max(from + 1, words.size() - words.size() / 3);
  auto cut = from;
  for (auto i = from; i < to; ++i) {
    if (words[i].start - words[i - 1].end > words[cut].start - words[cut - 1].end) cut = i;
  }
  add(segments, words.first(cut));
  add(segments, words.subspan(cut));
}

}  // namespace

std::vector<captions::Segment> to_segments(const std::vector<captions::Word>& words) {
  std::vector<captions::Segment> segments;
  std::size_t first = 0;
  for (std::size_t i = 1; i <= words.size(); ++i) {
    if (i < words.size() && words[i].start - words[i - 1].end < kPause) continue;
    add(segments, Words(words).subspan(first, i - first));
    first = i;
  }
  return segments;
}

}  // namespace rushes::speech::detail
