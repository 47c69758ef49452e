// Speed and memory of an hour of speech.
#include "media/testing/sample_files.h"
#include "speech/pocketsphinx.h"

#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <cstdlib>

namespace rushes::speech {
namespace {

/// RUSHES_BENCH_SPEECH, or a minute of flite again and again.
std::filesystem::path recording(std::int64_t seconds) {
  if (const char* path = std::getenv("RUSHES_BENCH_SPEECH")) return path;
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text +=
        "A film editor watches every shot before the first cut is made. The best takes are marked. "
        "In the morning the director comes in and asks for a longer version of the opening scene. ";
  }
  const auto minute = media::testing::make_speech(text);
  return media::testing::make_with_ffmpeg(
      {"-stream_loop", "-1", "-i", minute.string(), "-t", std::to_string(seconds), "-c", "copy"}, "wav");
}

void transcribe_seconds(benchmark::State& state) {
  const auto path = recording(state.range(0));
  auto engine = make_pocketsphinx().value();
  double seconds = 0;
  for (auto _ : state) {
    auto audio = media::AudioReader::open(path).value();
    benchmark::DoNotOptimize(engine->transcribe(*audio, {}).value());
    seconds += audio->position();
  }
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  state.counters["cpu_per_second"] =
      benchmark::Counter(seconds, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(transcribe_seconds)->Arg(60)->Arg(600)->Arg(3600)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace rushes::speech
