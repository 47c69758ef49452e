#pragma once
#include <string>
#include <string_view>

namespace rushes::sqlite {

/// UTF-8 text in lower case, letter by letter in every script, so that texts that differ in case alone
/// become the same. SQLite's own LIKE and NOCASE know the letters of ASCII only. Bytes that are not
/// UTF-8 stay as they are.
std::string fold_case(std::string_view text);

}  // namespace rushes::sqlite
