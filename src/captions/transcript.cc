#include "captions/transcript.h"

namespace rushes::captions {

std::string Transcript::text() const {
  std::string all;
  for (const auto& segment : segments) {
    if (!all.empty()) all += ' ';
    all += segment.text;
  }
  return all;
}

}  // namespace rushes::captions
