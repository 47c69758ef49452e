#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

struct sb_stemmer;

namespace rushes::insight {

/// The ISO 639-1 code of the language that most of `text` is in; empty where CLD2 is not sure.
/// `hint` (BCP 47, may be empty) tips the scales.
std::string detect_language(std::string_view text, const std::string& hint);

/// What a text's language tells about its words: stems, words without content, words that join.
///
/// Threads: single-owner.
class Language {
 public:
  /// `code` is BCP 47; only its first part counts. Any code will do: an unknown one has no stop
  /// words and no stems.
  explicit Language(std::string_view code);

  const std::string& code() const noexcept { return code_; }
  bool english() const noexcept { return code_ == "en"; }
  /// Whether we have a list of its words without content.
  bool has_stop_words() const noexcept { return !stop_words_.empty(); }

  /// Of a word in lower case.
  bool is_stop(std::string_view word) const { return stop_words_.contains(word); }
  /// Whether the word may stand inside a phrase: `of` in "speed of light".
  bool is_connector(std::string_view word) const { return connectors_.contains(word); }
  /// Whether a sentence that begins with this leans on the one before: `but`, `it`, `this`.
  bool leans_back(std::string_view word) const { return leaning_.contains(word); }
  /// Whether the word only starts the speaker off: `so`, `okay`, `um`.
  bool is_filler(std::string_view word) const { return fillers_.contains(word); }
  /// Whether the word announces a new part: `next`, `finally`.
  bool announces(std::string_view word) const { return announcing_.contains(word); }
  /// "and", with blanks around it; empty where we do not know it.
  std::string_view conjunction() const noexcept { return conjunction_; }

  /// The bytes of an elided article or preposition at the front, with its apostrophe: 2 in "l'eau".
  std::size_t elision(std::string_view word) const;

  /// The stem of a word in lower case; the word itself where there is no stemmer.
  std::string stem(const std::string& word);

 private:
  using WordSet = std::unordered_set<std::string_view>;
  static WordSet words_of(std::string_view list);

  struct DeleteStemmer {
    void operator()(sb_stemmer* stemmer) const noexcept;
  };

  std::string code_;
  WordSet stop_words_;
  WordSet connectors_;
  WordSet leaning_;
  WordSet fillers_;
  WordSet announcing_;
  std::string_view conjunction_;
  std::unique_ptr<sb_stemmer, DeleteStemmer> stemmer_;
};

}  // namespace rushes::insight
