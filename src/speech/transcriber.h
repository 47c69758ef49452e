#pragma once
#include "base/result.h"
#include "captions/transcript.h"
#include "media/audio.h"

#include <functional>
#include <string>

namespace rushes::speech {

/// Called about once every 15 s of sound, on the transcriber's thread; the last call of a success says that all is
/// done. `seconds_total` is 0 where the length is unknown. May be empty.
using Progress = std::function<void(double seconds_done, double seconds_total)>;

/// Turns speech into a transcript. One implementation per engine; kept for many recordings, one after another.
///
/// Threads: single-owner; blocking.
class Transcriber {
 public:
  virtual ~Transcriber() = default;

  /// Loads what the first recording would load, so that a process can load it before it forks one for each job.
  /// Results are the same with and without it. Errors: the engine's own.
  virtual Result<void> prepare() { return {}; }

  /// Reads `audio` to its end. Silence or music give a valid transcript that may be empty, not an error.
  /// Errors: those of `AudioReader::read`, and the engine's own.
  virtual Result<captions::Transcript> transcribe(media::AudioReader& audio, const Progress& progress) = 0;

  /// What made the transcript, as results name it, e.g. "pocketsphinx".
  virtual std::string engine() const = 0;
};

}  // namespace rushes::speech
