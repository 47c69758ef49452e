#include "pipelines/checkpoints.h"

#include "base/json.h"
#include "base/json_writer.h"

namespace rushes::pipelines {
namespace {

constexpr const char* kTranscript = "transcript";

captions::Segment read_segment(const json::value& value) {
  const auto& parts = value.as_array();
  return {parts.at(0).to_number<double>(), parts.at(1).to_number<double>(), std::string(parts.at(2).as_string())};
}

captions::Word read_word(const json::value& value) {
  const auto& parts = value.as_array();
  return {parts.at(0).to_number<double>(), parts.at(1).to_number<double>(), std::string(parts.at(2).as_string()),
          parts.at(3).to_number<double>()};
}

captions::Transcript read_transcript(const json::object& kept) {
  captions::Transcript transcript;
  transcript.language = kept.at("language").as_string();
  transcript.timed = kept.at("timed").as_bool();
  for (const auto& segment : kept.at("segments").as_array()) transcript.segments.push_back(read_segment(segment));
  for (const auto& word : kept.at("words").as_array()) transcript.words.push_back(read_word(word));
  return transcript;
}

}  // namespace

void keep_transcript(const Findings& findings, Reporter& reporter) {
  const auto& transcript = findings.transcript;
  json::array segments;
  for (const auto& segment : transcript.segments) {
    segments.push_back(json::array{segment.start, segment.end, segment.text});
  }
  json::array words;
  for (const auto& word : transcript.words) {
    words.push_back(json::array{word.start, word.end, word.text, word.confidence});
  }
  const json::object kept{{"engine", findings.transcription_engine},
                          {"language", transcript.language},
                          {"timed", transcript.timed},
                          {"segments", std::move(segments)},
                          {"words", std::move(words)}};
  reporter.checkpoint(kTranscript, to_json_text(kept));
}

bool restore_transcript(const Order& order, Findings& findings) {
  const auto found = order.checkpoints.find(kTranscript);
  if (found == order.checkpoints.end()) return false;
  const auto kept = parse_json(found->second);
  if (!kept || !kept->is_object()) return false;
  try {
    auto transcript = read_transcript(kept->get_object());
    findings.transcription_engine = kept->get_object().at("engine").as_string();
    findings.transcript = std::move(transcript);
    return true;
  } catch (const std::exception&) {  // of another version, or torn: then it is done again
    return false;
  }
}

}  // namespace rushes::pipelines
