#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rushes::insight {

enum class WordKind : unsigned char { noun, verb, noun_or_verb, adjective, adverb };

/// How English uses its words, from an n-gram model that the speech engine's package brings along.
///
/// Threads: single-owner. Cost: 115 ms and 35 MB for the model of pocketsphinx-en-us; 0.1 µs a look-up.
class WordModel {
 public:
  /// Nothing where the file is missing or no model.
  static std::unique_ptr<WordModel> open(const std::filesystem::path& path);
  ~WordModel();
  WordModel(const WordModel&) = delete;
  WordModel& operator=(const WordModel&) = delete;

  /// How common a word (in lower case) is: log10 of its probability; kUnknown for one never seen.
  double commonness(const std::string& word) const;
  static constexpr double kUnknown = -6.5;

  /// What the word mostly is, judged by the words it follows: `to` and `they` before verbs, `the` and
  /// `of` before nouns, `very` before adjectives. A word never seen is taken for a noun.
  WordKind kind(const std::string& word) const;

  /// Whether the word ends phrases (`energy`) rather than only begins them (`solar`).
  bool can_end_phrase(const std::string& word) const;

  /// For each word (lower case) how much likelier the text is, log10, when a sentence ends behind it.
  std::vector<double> sentence_ends(const std::vector<std::string>& words) const;

  /// How much likelier `second` is after `first` than elsewhere, log10; 0 where never seen together.
  double affinity(const std::string& first, const std::string& second) const;

 private:
  struct Native;
  explicit WordModel(std::unique_ptr<Native> native);
  std::unique_ptr<Native> native_;
};

}  // namespace rushes::insight
