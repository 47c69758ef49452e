// Speed on a real file: RUSHES_BENCH_VIDEO=/path/to/video rushes_media_bench
// docs/performance.md names the file that the published figures were measured on.
#include "media/audio.h"
#include "media/probe.h"
#include "media/scenes.h"
#include "media/testing/sample_files.h"
#include "media/thumbnails.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

namespace rushes::media {
namespace {

/// Ten minutes of 1080p H.264 with AAC, unless the environment names another file.
std::filesystem::path video() {
  if (const char* path = std::getenv("RUSHES_BENCH_VIDEO")) return path;
  const auto scene = testing::make_with_ffmpeg(
      {"-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25:duration=20,noise=alls=8:allf=t", "-f", "lavfi", "-i",
       "sine=frequency=300:duration=20", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-pix_fmt", "yuv420p"},
      "mp4");
  return testing::make_with_ffmpeg({"-stream_loop", "29", "-i", scene.string(), "-c", "copy"}, "mp4");
}

void probe_file(benchmark::State& state) {
  const auto path = video();
  for (auto _ : state) benchmark::DoNotOptimize(probe(path).value());
}
BENCHMARK(probe_file)->Unit(benchmark::kMillisecond);

void ten_thumbnails(benchmark::State& state) {
  const auto path = video();
  const testing::TemporaryFolder folder;
  ThumbnailOptions options;
  options.folder = folder.path();
  options.format = state.range(0) == 0 ? ImageFormat::jpeg : ImageFormat::webp;
  for (auto _ : state) benchmark::DoNotOptimize(make_thumbnails(path, options).value().size());
}
BENCHMARK(ten_thumbnails)->ArgName("webp")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void cuts_of_scenes(benchmark::State& state) {
  const auto path = video();
  for (auto _ : state) benchmark::DoNotOptimize(scene_cuts(path).value().size());
}
BENCHMARK(cuts_of_scenes)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();

void sound_to_16_khz(benchmark::State& state) {
  const auto path = video();
  std::vector<std::int16_t> samples(16'384);
  double seconds = 0;
  for (auto _ : state) {
    auto reader = AudioReader::open(path).value();
    while (reader->read(samples).value() > 0) {
    }
    seconds += reader->position();
  }
  state.counters["times_real"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
}
BENCHMARK(sound_to_16_khz)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rushes::media
