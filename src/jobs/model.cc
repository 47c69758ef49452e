#include "jobs/model.h"

#include <algorithm>
#include <array>

namespace rushes::jobs {
namespace {

constexpr std::array<std::string_view, 3> kTypes{"youtube", "upload", "transcript"};
constexpr std::array<std::string_view, 5> kStates{"pending", "processing", "completed", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> kOutcomes{"completed", "failed", "handed back", "cancelled"};

template <class Enum, std::size_t N>
Result<Enum> parse(const std::array<std::string_view, N>& words, std::string_view word, std::string_view what) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<Enum>(found - words.begin());
  std::string allowed;
  for (const auto known : words) allowed += (allowed.empty() ? "" : ", ") + std::string(known);
  return Error(Errc::invalid_argument, "'" + std::string(word.substr(0, 40)) + "' is not a " + std::string(what) +
                                           "; allowed: " + allowed + ".");
}

}  // namespace

std::string_view to_string(JobType type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }
std::string_view to_string(JobState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }
std::string_view to_string(AttemptOutcome outcome) noexcept { return kOutcomes[static_cast<std::size_t>(outcome)]; }
Result<JobType> parse_job_type(std::string_view word) { return parse<JobType>(kTypes, word, "job type"); }
Result<JobState> parse_job_state(std::string_view word) { return parse<JobState>(kStates, word, "job status"); }

}  // namespace rushes::jobs
