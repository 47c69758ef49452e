#include "insight/detail/word_model.h"

#include <sphinxbase/err.h>
#include <sphinxbase/logmath.h>
#include <sphinxbase/ngram_model.h>

#include <algorithm>
#include <initializer_list>
#include <system_error>

namespace rushes::insight {
namespace {

// Further below the general frequency than this, a pair says nothing.
constexpr double kNoEvidence = -3;

}  // namespace

struct WordModel::Native {
  logmath_t* math = nullptr;
  ngram_model_t* model = nullptr;

  Native() = default;
  Native(const Native&) = delete;
  Native& operator=(const Native&) = delete;
  ~Native() {
    if (model) ngram_model_free(model);
    if (math) logmath_free(math);
  }

  int32 id(const std::string& word) const {
    const auto id = ngram_wid(model, word.c_str());
    return id == ngram_unknown_wid(model) ? -1 : id;
  }

  double alone(int32 word) const {
    int32 used = 0;
    return logmath_log_to_log10(math, ngram_ng_score(model, word, nullptr, 0, &used));
  }

  double after(int32 first, int32 second) const {
    int32 used = 0;
    const auto score = ngram_ng_score(model, second, &first, 1, &used);
    return used == 2 ? logmath_log_to_log10(math, score) - alone(second) : kNoEvidence;
  }

  // log10 P(word | before, last); `before` and `last` may be unknown (-1), `word` too.
  double follow(int32 before, int32 last, int32 word) const {
    if (word < 0) return kUnknown;
    int32 history[2] = {last, before};
    int32 used = 0;
    return logmath_log_to_log10(math, ngram_ng_score(model, word, history, last < 0 ? 0 : before < 0 ? 1 : 2, &used));
  }

  double best_after(std::initializer_list<const char*> contexts, int32 word) const {
    double best = kNoEvidence;
    for (const auto* context : contexts) best = std::max(best, after(ngram_wid(model, context), word));
    return best;
  }
};

WordModel::WordModel(std::unique_ptr<Native> native) : native_(std::move(native)) {}
WordModel::~WordModel() = default;

std::unique_ptr<WordModel> WordModel::open(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return nullptr;
  err_set_logfp(nullptr);  // sphinxbase reports every step to standard error
  auto native = std::make_unique<Native>();
  native->math = logmath_init(1.0001, 0, 0);
  if (!native->math) return nullptr;
  native->model = ngram_model_read(nullptr, path.c_str(), NGRAM_AUTO, native->math);
  if (!native->model) return nullptr;
  return std::unique_ptr<WordModel>(new WordModel(std::move(native)));
}

double WordModel::commonness(const std::string& word) const {
  const auto id = native_->id(word);
  return id < 0 ? kUnknown : std::max(kUnknown, native_->alone(id));
}

WordKind WordModel::kind(const std::string& word) const {
  const auto id = native_->id(word);
  const bool participle = word.size() > 5 && word.ends_with("ed") && !word.ends_with("eed");
  if (id < 0) {
    if (word.ends_with("ly")) return WordKind::adverb;
    return participle || word.ends_with("ing") ? WordKind::adjective : WordKind::noun;
  }
  const auto noun = native_->best_after({"the", "a", "of", "your"}, id);
  const auto verb = native_->best_after({"to", "they", "will", "he", "it"}, id);
  const auto quality = native_->best_after({"very", "so", "too"}, id);
  if (quality >= 0.9 && quality > noun + 0.3) return word.ends_with("ly") ? WordKind::adverb : WordKind::adjective;
  if (word.ends_with("er") && native_->best_after({"much"}, id) > std::max(0.9, noun)) return WordKind::adjective;
  if (verb > noun + 0.2) return noun > 0.55 ? WordKind::noun_or_verb : WordKind::verb;
  if (word.ends_with("ly") && noun < 0.3) return WordKind::adverb;
  if (participle && noun < 0.8) return WordKind::adjective;
  return WordKind::noun;
}

bool WordModel::can_end_phrase(const std::string& word) const {
  const auto id = native_->id(word);
  if (id < 0) return true;
  double best = kNoEvidence;
  for (const auto* next : {"is", "of", "and", "was", "are", "that", "</s>"}) {
    best = std::max(best, native_->after(id, ngram_wid(native_->model, next)));
  }
  return best > 0.1;
}

double WordModel::affinity(const std::string& first, const std::string& second) const {
  const auto a = native_->id(first);
  const auto b = native_->id(second);
  if (a < 0 || b < 0) return 0;
  const auto lift = native_->after(a, b);
  return lift == kNoEvidence ? 0 : lift;
}

std::vector<double> WordModel::sentence_ends(const std::vector<std::string>& words) const {
  std::vector<int32> ids;
  ids.reserve(words.size());
  for (const auto& word : words) ids.push_back(native_->id(word));
  const auto start = ngram_wid(native_->model, "<s>");
  const auto end = ngram_wid(native_->model, "</s>");
  const auto at = [&](std::size_t i) { return i < ids.size() ? ids[i] : -1; };
  std::vector<double> gains(words.size(), 0);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto before = i > 0 ? ids[i - 1] : -1;
    const auto parted = native_->follow(before, ids[i], end) + native_->follow(-1, start, at(i + 1)) +
                        native_->follow(start, at(i + 1), at(i + 2));
    const auto joined = native_->follow(before, ids[i], at(i + 1)) + native_->follow(ids[i], at(i + 1), at(i + 2));
    gains[i] = parted - joined;
  }
  return gains;
}

}  // namespace rushes::insight
