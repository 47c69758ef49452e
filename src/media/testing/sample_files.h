#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace rushes::media::testing {

// Media for tests, made by the installed tools on first use and kept in the build tree. A file's name holds its
// recipe's hash, so a changed recipe makes a new file. Several tests may ask at once. Throws std::runtime_error with
// the tool's words where it fails.

/// Runs `ffmpeg <arguments> <file>`; the result's name ends in `suffix`, e.g. "mp4".
std::filesystem::path make_with_ffmpeg(const std::vector<std::string>& arguments, const std::string& suffix);

/// Runs `ffmpeg <arguments>`, for files that are not to be kept.
void run_ffmpeg(const std::vector<std::string>& arguments);

/// A WAV file in which flite says `text`.
std::filesystem::path make_speech(const std::string& text, const std::string& voice = "slt");

/// A file of these bytes.
std::filesystem::path make_file(const std::string& content, const std::string& suffix);

/// A new empty folder, removed with its content when the owner goes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace rushes::media::testing
