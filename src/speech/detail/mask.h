#pragma once
#include <string>
#include <string_view>

namespace rushes::speech::detail {

/// `word`, or its first letter and asterisks where it is an English obscenity: the engine hears them in music.
/// `word` is lower case, without punctuation.
std::string mask_obscenity(std::string_view word);

}  // namespace rushes::speech::detail
