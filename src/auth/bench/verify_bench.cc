#include "auth/jwt.h"
#include "auth/key_book.h"
#include "auth/testing/signer.h"
#include "base/file.h"
#include "base/random.h"

#include <benchmark/benchmark.h>

#include <filesystem>

namespace rushes::auth {
namespace {

constexpr std::string_view kSecret = "a secret of the benchmark, 32 bytes long";

json::object claims_of(int user) {
  const auto now = to_millis(SystemClock().now()) / 1000;
  return {{"iss", "https://issuer.example/"},
          {"aud", "rushes"},
          {"sub", "user-" + std::to_string(user)},
          {"role", "user"},
          {"iat", now},
          {"exp", now + 3600}};
}

/// Tokens of many users, signed by `signer`, or with the secret where there is none.
class Bench {
 public:
  explicit Bench(const testing::Signer* signer) {
    std::vector<KeySource> sources{{KeySource::Kind::secret, std::string(kSecret), "secret"}};
    if (signer != nullptr) {
      file_ = std::filesystem::temp_directory_path() / ("rushes-bench-" + SystemRng().token(6));
      write_file_atomically(file_, signer->public_pem()).value();
      sources = {{KeySource::Kind::pem_file, file_.string(), "key"}};
    }
    ring_ = std::make_unique<KeyRing>(std::move(sources));
    ring_->load().value();
    for (int user = 0; user < kTokens; ++user) {
      tokens_.push_back(signer != nullptr ? signer->sign(claims_of(user)) : sign_token(kSecret, claims_of(user)));
    }
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }

  void run(benchmark::State& state, std::size_t cached) {
    const ClaimRules rules{{"https://issuer.example/"}, {"rushes"}, std::chrono::seconds(5)};
    const TokenVerifier verifier(*ring_, rules, clock_, nullptr, cached);
    std::size_t next = 0;
    for (const auto& token : tokens_) verifier.verify(token).value();
    while (state.KeepRunning()) {
      auto identity = verifier.verify(tokens_[next++ % tokens_.size()]);
      benchmark::DoNotOptimize(identity);
    }
    state.SetItemsProcessed(state.iterations());
  }

 private:
  static constexpr int kTokens = 1'000;
  SystemClock clock_;
  std::filesystem::path file_;
  std::unique_ptr<KeyRing> ring_;
  std::vector<std::string> tokens_;
};

template <class Make>
void verify(benchmark::State& state, Make make) {
  const auto signer = make();
  Bench(&signer).run(state, static_cast<std::size_t>(state.range(0)));
}

void hs256(benchmark::State& state) { Bench(nullptr).run(state, static_cast<std::size_t>(state.range(0))); }
void rs256(benchmark::State& state) {
  verify(state, [] { return testing::Signer::rsa(); });
}
void es256(benchmark::State& state) {
  verify(state, [] { return testing::Signer::ec(); });
}
void eddsa(benchmark::State& state) {
  verify(state, [] { return testing::Signer::ed25519(); });
}

/// One of a thousand API keys.
void api_key(benchmark::State& state) {
  SystemClock clock;
  SystemRng rng;
  KeyBook book;
  std::vector<std::string> texts;
  for (int user = 0; user < 1'000; ++user) {
    const auto made = new_api_key_text(rng);
    ApiKey key;
    key.id = made.id;
    key.user = UserId("user-" + std::to_string(user));
    key.digest = digest_of_api_key(made.text);
    book.put(std::move(key));
    texts.push_back(made.text);
  }
  std::size_t next = 0;
  while (state.KeepRunning()) {
    auto identity = book.find(texts[next++ % texts.size()], clock.now());
    benchmark::DoNotOptimize(identity);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(api_key);

// Of a thousand users, one token each; 0: nothing is kept.
BENCHMARK(hs256)->ArgName("cached")->Arg(0)->Arg(65'536);
BENCHMARK(rs256)->ArgName("cached")->Arg(0)->Arg(65'536);
BENCHMARK(es256)->ArgName("cached")->Arg(0)->Arg(65'536);
BENCHMARK(eddsa)->ArgName("cached")->Arg(0)->Arg(65'536);

}  // namespace
}  // namespace rushes::auth
