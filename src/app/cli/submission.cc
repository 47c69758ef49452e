#include "app/cli/submission.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <ios>

namespace rushes::app::cli {
namespace {

bool is_web_address(std::string_view argument) {
  const auto lower = to_lower_ascii(argument.substr(0, 8));
  return lower.starts_with("http://") || lower.starts_with("https://");
}

template <std::size_t Count>
bool has_suffix(const std::string& argument, const std::array<std::string_view, Count>& suffixes) {
  const auto suffix = to_lower_ascii(std::filesystem::path(argument).extension().string());
  return std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
}

constexpr std::array<std::string_view, 3> kTranscripts{".txt", ".srt", ".vtt"};
// A text under such a name is a mistake that the server explains better than an analysis of it would.
constexpr std::array<std::string_view, 18> kMedia{".mp4", ".m4v",  ".mov", ".mkv",  ".webm", ".avi",
                                                  ".mpg", ".mpeg", ".wmv", ".flv",  ".3gp",  ".mp3",
                                                  ".m4a", ".aac",  ".wav", ".flac", ".ogg",  ".opus"};

Error wrong(std::string message) {
  return Error::for_user(Errc::invalid_argument, "SOURCE_INVALID", std::move(message));
}

}  // namespace

bool reads_as_text(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (bytes.empty()) return false;
  // The cut may have gone through a character of up to four bytes.
  for (int cut = 0;
       cut < 3 && !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80U) != 0 && !is_utf8(bytes); ++cut) {
    bytes.remove_suffix(1);
  }
  const bool controls = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f') || byte == 0x7F;
  });
  return !bytes.empty() && !controls && is_utf8(bytes);
}

FileLook look_at(const std::filesystem::path& file) {
  FileLook look;
  std::error_code failed;
  const auto status = std::filesystem::status(file, failed);
  look.exists = std::filesystem::exists(status);
  look.regular = std::filesystem::is_regular_file(status);
  if (!look.regular) return look;
  look.empty = std::filesystem::file_size(file, failed) == 0;
  std::ifstream stream(file, std::ios::binary);
  std::string head(4096, '\0');
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(stream.gcount()));
  look.text = reads_as_text(head);
  return look;
}

Result<SourceKind> decide_source(const std::string& argument, const std::string& as, const FileLook& look) {
  if (as == "url" || (as.empty() && is_web_address(argument))) {
    if (!is_web_address(argument))
      return wrong("'" + argument + "' is not a URL; one begins with http:// or https://.");
    return SourceKind::url;
  }
  if (argument == "-") {
    if (as == "file") return wrong("A video is read from a file, not from standard input.");
    return SourceKind::transcript;
  }
  if (!look.exists) {
    const bool without_scheme = argument.starts_with("www.") || argument.find(".com/") != std::string::npos ||
                                argument.find(".be/") != std::string::npos;
    return wrong("There is no file '" + argument + "'." +
                 (without_scheme ? " If it is a URL, begin it with https://." : ""));
  }
  if (!look.regular) return wrong("'" + argument + "' is not a file.");
  if (look.empty) return wrong("The file '" + argument + "' is empty.");
  if (as == "transcript") return SourceKind::transcript;
  if (as == "file") return SourceKind::file;
  if (has_suffix(argument, kTranscripts)) return SourceKind::transcript;
  if (has_suffix(argument, kMedia)) return SourceKind::file;
  return look.text ? SourceKind::transcript : SourceKind::file;
}

json::object configuration_of(const Choices& choices, const std::string& url) {
  json::object configuration;
  if (!url.empty()) configuration["url"] = url;
  if (!choices.language.empty()) configuration["language"] = choices.language;
  if (!choices.tone.empty()) configuration["tone"] = choices.tone;
  if (!choices.title.empty()) configuration["title"] = choices.title;
  return configuration;
}

}  // namespace rushes::app::cli
