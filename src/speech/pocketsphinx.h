#pragma once
#include "base/result.h"
#include "speech/transcriber.h"

#include <filesystem>
#include <memory>

namespace rushes::speech {

struct PocketsphinxOptions {
  /// Where Debian's package `pocketsphinx-en-us` puts it.
  std::filesystem::path model = "/usr/share/pocketsphinx/model/en-us";
};

/// The embedded engine: CMU PocketSphinx. English only, lower case, without punctuation. The decoder is loaded by
/// `prepare` or the first recording, and kept.
///
/// Errors: `SPEECH_MODEL_MISSING` (unavailable) where the model is not installed.
/// Cost: about 0.2 of real time on one core; 130 MB.
Result<std::unique_ptr<Transcriber>> make_pocketsphinx(const PocketsphinxOptions& options = {});

}  // namespace rushes::speech
