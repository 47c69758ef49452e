#pragma once
#include "base/json.h"
#include "base/result.h"

#include <filesystem>
#include <string>
#include <string_view>

namespace rushes::app::cli {

/// What `rushes submit` was given.
enum class SourceKind : unsigned char { url, file, transcript };

/// What is on the disk under a name.
struct FileLook {
  bool exists = false;
  bool regular = false;
  bool empty = false;
  bool text = false;  // its beginning reads as text
};

/// Looks at the file's first 4 KiB. A file that cannot be opened counts as one without text.
FileLook look_at(const std::filesystem::path& file);

/// Whether `bytes`, the beginning of a file, read as text: UTF-8, perhaps cut within its last character, and no
/// control characters but white space. Nothing at all is no text.
bool reads_as_text(std::string_view bytes);

/// Decides what `argument` is: `as` (url, file, transcript) where it is not empty; else by its form,
/// its suffix, its content, in this order. `-` is a transcript on standard input.
/// Errors: `invalid_argument`, naming the argument: no such file, a folder, an empty file.
Result<SourceKind> decide_source(const std::string& argument, const std::string& as, const FileLook& look);

/// The choices that go with a job; empty ones stay the server's.
struct Choices {
  std::string language;
  std::string tone;
  std::string title;
};

/// The `configuration` of a submit; `url` may be empty.
json::object configuration_of(const Choices& choices, const std::string& url);

}  // namespace rushes::app::cli
