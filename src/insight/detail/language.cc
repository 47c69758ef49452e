#include "insight/detail/language.h"

#include "base/text.h"
#include "insight/detail/word_lists.h"

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include <libstemmer.h>

#include <algorithm>

namespace rushes::insight {
namespace {

constexpr std::size_t kDetectFrom = 32 * 1024;  // more text makes it no surer
constexpr std::size_t kLongestStem = 64;
constexpr std::string_view kEnglishFillers =
    "so okay ok and but now then well right um uh yeah also alright all hey oh like because";

}  // namespace

std::string detect_language(std::string_view text, const std::string& hint) {
  const auto head = text.substr(0, kDetectFrom);
  const CLD2::CLDHints hints{hint.empty() ? nullptr : hint.c_str(), nullptr, CLD2::UNKNOWN_ENCODING,
                             CLD2::UNKNOWN_LANGUAGE};
  CLD2::Language languages[3];
  int percents[3];
  double scores[3];
  int bytes = 0;
  bool reliable = false;
  CLD2::ExtDetectLanguageSummary(head.data(), static_cast<int>(head.size()), true, &hints, 0, languages, percents,
                                 scores, nullptr, &bytes, &reliable);
  if (!reliable || percents[0] < 60 || languages[0] == CLD2::UNKNOWN_LANGUAGE) return {};
  const std::string code = CLD2::LanguageCode(languages[0]);
  return code.substr(0, code.find('-'));
}

Language::Language(std::string_view code) {
  code = code.substr(0, code.find_first_of("-_"));
  code_ = to_lower_ascii(code.substr(0, 8));
  if (!std::all_of(code_.begin(), code_.end(), [](char c) { return c >= 'a' && c <= 'z'; })) code_.clear();
  if (const auto* lists = find_word_lists(code_)) {
    stop_words_ = words_of(lists->stop);
    connectors_ = words_of(lists->connectors);
    leaning_ = words_of(lists->leaning);
    if (code_ == "en") fillers_ = words_of(kEnglishFillers);
    announcing_ = words_of(lists->announcing);
    conjunction_ = lists->conjunction;
  }
  const std::string algorithm = code_ == "nb" || code_ == "nn" ? "no" : code_;
  if (!algorithm.empty()) stemmer_.reset(sb_stemmer_new(algorithm.c_str(), nullptr));
}

std::size_t Language::elision(std::string_view word) const {
  if (code_ != "fr" && code_ != "it" && code_ != "ca") return 0;
  for (const std::string_view mark : {"'", "’"}) {
    const auto at = word.substr(0, 6).find(mark);
    if (at != std::string_view::npos && at > 0 && (at <= 2 || word.starts_with("dell") || word.starts_with("all"))) {
      return at + mark.size() < word.size() ? at + mark.size() : 0;
    }
  }
  return 0;
}

std::string Language::stem(const std::string& word) {
  if (!stemmer_ || word.size() > kLongestStem) return word;
  const auto* stem =
      sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
  if (stem == nullptr) return word;
  return {reinterpret_cast<const char*>(stem), static_cast<std::size_t>(sb_stemmer_length(stemmer_.get()))};
}

Language::WordSet Language::words_of(std::string_view list) {
  WordSet words;
  while (!list.empty()) {
    const auto end = std::min(list.find(' '), list.size());
    if (end > 0) words.insert(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

void Language::DeleteStemmer::operator()(sb_stemmer* stemmer) const noexcept { sb_stemmer_delete(stemmer); }

}  // namespace rushes::insight
