#pragma once
#include "insight/detail/document.h"
#include "insight/detail/parts.h"
#include "insight/detail/phrases.h"
#include "insight/detail/ranking.h"
#include "insight/material.h"

#include <string>
#include <vector>

namespace rushes::insight {

/// Everything known about one text, from which the parts of an analysis are put together.
struct Study {
  const Material& material;
  const Document& document;
  const Ranking& ranking;
  std::vector<Phrase> phrases;  // best first
  std::vector<Part> parts;
  double duration = 0;  // seconds; 0 where unknown
  bool spoken = true;   // false: title, description and tags stand in for a transcript
};

/// A unit as quoted: at most a few hundred characters of it.
std::string quote(const Document& document, std::uint32_t unit);

/// The units quoted one behind the other, in the order of the text, none twice.
std::string quote_all(const Document& document, std::vector<std::uint32_t> units);

/// A phrase or clause as a heading: title case in English, a capital at the front elsewhere.
std::string as_heading(std::string_view text, const std::string& language);

/// The best units of a part, or of everything, unlike each other, best first.
std::vector<std::uint32_t> best_units(const Study& study, std::uint32_t first, std::uint32_t last, std::size_t count);

/// The phrases that units `first` to `last` (one past) are about more than the rest is, best first.
std::vector<const Phrase*> phrases_of(const Study& study, std::uint32_t first, std::uint32_t last);

/// Whether two phrases have a word in common.
bool share_a_word(const Phrase& a, const Phrase& b);

}  // namespace rushes::insight
