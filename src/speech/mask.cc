#include "speech/detail/mask.h"

#include <algorithm>
#include <array>

namespace rushes::speech::detail {
namespace {

// Whatever these begin is obscene.
constexpr std::array<std::string_view, 9> kStems{"asshole", "bullshit", "cocksuck", "cunt", "dickhead",
                                                 "fuck",    "motherfu", "nigge",    "shitt"};
// These only alone: "cock" begins "cocktail".
constexpr std::array<std::string_view, 21> kWords{"arsehole", "bitch", "bitches", "bitchy", "cock", "cocks", "cum",
                                                  "dick",     "dicks", "fag",     "faggot", "fags", "nigga", "piss",
                                                  "pissed",   "pussy", "shit",    "shits",  "slut", "sluts", "whore"};

}  // namespace

std::string mask_obscenity(std::string_view word) {
  const bool obscene =
      std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
      std::any_of(kStems.begin(), kStems.end(), [&](std::string_view stem) { return word.starts_with(stem); });
  if (!obscene) return std::string(word);
  return std::string(1, word.front()) + std::string(word.size() - 1, '*');
}

}  // namespace rushes::speech::detail
