#include "insight/extractive.h"
#include "insight/tests/texts.h"

#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <random>

namespace rushes::insight {
namespace {

// An hour of talk: the test's sentences, shuffled within stretches of one subject, with made-up words
// between so that no two stretches are the same.
Material an_hour(std::size_t words) {
  std::mt19937 random(5);
  Material material;
  material.transcript.language = "en";
  std::size_t count = 0;
  double time = 0;
  for (int stretch = 0; count < words; ++stretch) {
    auto sentences = sentences_of(std::array{kBread, kTelescope, kCoffee}[static_cast<std::size_t>(stretch) % 3]);
    std::shuffle(sentences.begin(), sentences.end(), random);
    for (auto& sentence : sentences) {
      std::string rare;
      for (int i = 0; i < 7; ++i) rare += static_cast<char>('a' + random() % 26);
      sentence.insert(sentence.size() - 1, " " + rare);
      const auto length = static_cast<std::size_t>(std::count(sentence.begin(), sentence.end(), ' ')) + 1;
      material.transcript.segments.push_back({time, time + static_cast<double>(length) / 2.5, sentence});
      time += static_cast<double>(length) / 2.5;
      count += length;
    }
  }
  return material;
}

void analyse(benchmark::State& state) {
  const auto material = an_hour(static_cast<std::size_t>(state.range(0)));
  const auto analyst = make_extractive_analyst();
  for (auto _ : state) {
    auto analysis = analyst->analyse(material, {});
    benchmark::DoNotOptimize(analysis);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_mb"] = static_cast<double>(usage.ru_maxrss) / 1024;
}
BENCHMARK(analyse)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// What the first job of a worker pays: loading the word model.
void start(benchmark::State& state) {
  const auto material = an_hour(100);
  for (auto _ : state) {
    auto analysis = make_extractive_analyst()->analyse(material, {});
    benchmark::DoNotOptimize(analysis);
  }
}
BENCHMARK(start)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rushes::insight
