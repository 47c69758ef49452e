#include "speech/pocketsphinx.h"

#include "base/log.h"
#include "base/text.h"
#include "speech/detail/chunks.h"
#include "speech/detail/mask.h"
#include "speech/detail/segments.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace rushes::speech {
namespace {

constexpr double kFramesPerSecond = 100;
constexpr int kInaudible = 30;  // of 32,767: -60 dB

void write_log(void* /*user*/, err_lvl_t level, const char* format, ...) {
  if (level < ERR_WARN || !log::writes(log::Level::debug)) return;
  std::array<char, 512> line{};
  va_list arguments;
  va_start(arguments, format);
  (void)std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  log::debug("pocketsphinx", "{}", trim(line.data()));
}

struct DecoderDeleter {
  void operator()(ps_decoder_t* decoder) const noexcept { ps_free(decoder); }
};
using DecoderPtr = std::unique_ptr<ps_decoder_t, DecoderDeleter>;

/// The word as it is shown; empty for what is none, as `<sil>` or `[SPEECH]`.
std::string shown(std::string_view word) {
  if (word.empty() || word.front() == '<' || word.front() == '[' || word.front() == '+') return {};
  word = word.substr(0, word.find('('));  // "(2)" is the second pronunciation
  if (word == "i" || word.starts_with("i'")) return "I" + std::string(word.substr(1));
  return detail::mask_obscenity(word);
}

bool is_audible(std::span<const std::int16_t> samples) noexcept {
  return std::any_of(samples.begin(), samples.end(),
                     [](std::int16_t sample) { return std::abs(int{sample}) > kInaudible; });
}

class Pocketsphinx final : public Transcriber {
 public:
  explicit Pocketsphinx(PocketsphinxOptions options) : options_(std::move(options)) {}

  Result<void> prepare() override { return decoder_ ? Result<void>() : load(); }
  Result<captions::Transcript> transcribe(media::AudioReader& audio, const Progress& progress) override;
  std::string engine() const override { return "pocketsphinx"; }

 private:
  Result<void> load();
  Result<void> recognise(std::span<const std::int16_t> samples, double start, std::vector<captions::Word>& words);

  PocketsphinxOptions options_;
  DecoderPtr decoder_;
};

Result<captions::Transcript> Pocketsphinx::transcribe(media::AudioReader& audio, const Progress& progress) {
  if (const auto prepared = prepare(); !prepared) return prepared.error();
  captions::Transcript transcript;
  transcript.language = "en";
  detail::ChunkReader chunks(audio);
  double done = 0;
  for (;;) {
    const auto chunk = chunks.next();
    if (!chunk) return chunk.error();
    if (chunk->empty()) break;
    if (is_audible(*chunk)) {
      const auto heard = recognise(*chunk, chunks.start(), transcript.words);
      if (!heard) return heard.error();
    }
    done = chunks.start() + static_cast<double>(chunk->size()) / media::AudioReader::kSampleRate;
    if (progress) progress(done, audio.duration() > 0 ? std::max(audio.duration(), done) : 0);
  }
  // The pictures may go on after the sound.
  if (progress && done < audio.duration()) progress(audio.duration(), audio.duration());
  transcript.segments = detail::to_segments(transcript.words);
  return transcript;
}

Result<void> Pocketsphinx::load() {
  const auto acoustic = (options_.model / "en-us").string();
  const auto language = (options_.model / "en-us.lm.bin").string();
  const auto dictionary = (options_.model / "cmudict-en-us.dict").string();
  // -remove_silence: removed silence is not counted, which makes all word times wrong. The three limits are a third
  // faster at the same error rate.
  auto* config = cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", acoustic.c_str(), "-lm", language.c_str(), "-dict",
                             dictionary.c_str(), "-remove_silence", "no", "-maxhmmpf", "5000", "-topn", "2",
                             "-pl_window", "5", nullptr);
  if (config == nullptr) return Error(Errc::internal, "pocketsphinx: options were refused");
  decoder_.reset(ps_init(config));
  cmd_ln_free_r(config);  // the decoder keeps its own reference
  if (!decoder_)
    return Error(Errc::internal, "pocketsphinx: the model in " + options_.model.string() + " cannot be loaded");
  return {};
}

Result<void> Pocketsphinx::recognise(std::span<const std::int16_t> samples, double start,
                                     std::vector<captions::Word>& words) {
  auto* decoder = decoder_.get();
  const auto failed = ps_start_stream(decoder) < 0 || ps_start_utt(decoder) < 0 ||
                      ps_process_raw(decoder, samples.data(), samples.size(), FALSE, TRUE) < 0 ||
                      ps_end_utt(decoder) < 0;
  if (failed) {
    // It may be in the middle of an utterance now: the next recording gets a new one.
    decoder_.reset();
    return Error(Errc::internal, "pocketsphinx: decoding failed");
  }
  (void)ps_get_hyp(decoder, nullptr);
  auto* logmath = ps_get_logmath(decoder);
  for (auto* segment = ps_seg_iter(decoder); segment != nullptr; segment = ps_seg_next(segment)) {
    auto text = shown(ps_seg_word(segment));
    if (text.empty()) continue;
    int first = 0;
    int last = 0;
    ps_seg_frames(segment, &first, &last);
    const auto confidence = logmath_exp(logmath, ps_seg_prob(segment, nullptr, nullptr, nullptr));
    const auto earliest = words.empty() ? 0.0 : words.back().end;
    const auto from = std::max(earliest, start + first / kFramesPerSecond);
    const auto to = std::max(from, start + (last + 1) / kFramesPerSecond);
    words.push_back({from, to, std::move(text), std::clamp(confidence, 0.0, 1.0)});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Transcriber>> make_pocketsphinx(const PocketsphinxOptions& options) {
  err_set_callback(write_log, nullptr);
  err_set_logfp(nullptr);  // what it prints past the callback: its whole configuration
  for (const auto* part : {"en-us/mdef", "en-us.lm.bin", "cmudict-en-us.dict"}) {
    if (!std::filesystem::exists(options.model / part)) {
      return Error::for_user(Errc::unavailable, "SPEECH_MODEL_MISSING",
                             "The speech model is not installed on the server; its operator needs the Debian package "
                             "pocketsphinx-en-us.");
    }
  }
  return std::unique_ptr<Transcriber>(std::make_unique<Pocketsphinx>(options));
}

}  // namespace rushes::speech
