#include "insight/detail/boundaries.h"

#include <algorithm>
#include <limits>

namespace rushes::insight {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kLongest = 30;
constexpr double kPrice = 0.2;        // of a sentence, log10: no evidence, no end
constexpr std::size_t kTedious = 22;  // words; longer ones grow unlikely
constexpr double kPausePays = 3.0;    // for each second of silence, up to one
constexpr double kLineEndPays = 0.1;

}  // namespace

std::vector<std::uint32_t> guess_sentences(const WordModel& model, const std::vector<HeardWord>& words) {
  std::vector<std::string> plain;
  plain.reserve(words.size());
  for (const auto& word : words) plain.push_back(word.word);
  const auto gains = model.sentence_ends(plain);

  // best[j]: the most that can be gained from the first j words.
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  const auto count = words.size();
  std::vector<double> best(count + 1, kNever);
  std::vector<std::size_t> from(count + 1, 0);
  best[0] = 0;
  for (std::size_t j = 1; j <= count; ++j) {
    const auto& last = words[j - 1];
    const auto pays = j == count ? 0.0
                                 : gains[j - 1] - kPrice + kPausePays * std::clamp(last.pause - 0.1, 0.0, 1.0) +
                                       (last.line_end ? kLineEndPays : 0);
    for (std::size_t length = 1; length <= std::min(j, kLongest); ++length) {
      const auto i = j - length;
      const auto stub = length < kShortest ? -2.0 * static_cast<double>(kShortest - length) : 0.0;
      const auto tedious = length > kTedious ? -0.2 * static_cast<double>(length - kTedious) : 0.0;
      const auto value = best[i] + pays + stub + tedious;
      if (value > best[j]) {
        best[j] = value;
        from[j] = i;
      }
    }
  }
  std::vector<std::uint32_t> lengths;
  for (auto j = count; j > 0; j = from[j]) lengths.push_back(static_cast<std::uint32_t>(j - from[j]));
  std::reverse(lengths.begin(), lengths.end());
  return lengths;
}

}  // namespace rushes::insight
