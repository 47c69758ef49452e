#include "media/testing/sample_files.h"

#include "base/file.h"

#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <stdexcept>

namespace rushes::media::testing {
namespace {

namespace fs = std::filesystem;

const fs::path& cache() {
  static const fs::path folder = [] {
    fs::create_directories(RUSHES_SAMPLE_FOLDER);
    return fs::path(RUSHES_SAMPLE_FOLDER);
  }();
  return folder;
}

void run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const auto child = ::fork();
  if (child == 0) {
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    std::string words;
    for (const auto& word : command) words.append(word).append(" ");
    throw std::runtime_error("failed: " + words);
  }
}

/// Makes the file of this recipe unless it is there; `make` writes to the path that it is given.
fs::path cached(const std::string& recipe, const std::string& suffix,
                const std::function<void(const fs::path&)>& make) {
  const auto name = fmt::format("{:016x}", std::hash<std::string>{}(recipe));
  auto path = cache() / (name + "." + suffix);
  if (fs::exists(path)) return path;
  const auto temporary = cache() / fmt::format("{}-{}.{}", name, ::getpid(), suffix);
  make(temporary);
  fs::rename(temporary, path);
  return path;
}

}  // namespace

fs::path make_with_ffmpeg(const std::vector<std::string>& arguments, const std::string& suffix) {
  std::string recipe = "ffmpeg";
  for (const auto& word : arguments) recipe.append("\n").append(word);
  return cached(recipe, suffix, [&](const fs::path& path) {
    auto all = arguments;
    all.push_back(path.string());
    run_ffmpeg(all);
  });
}

void run_ffmpeg(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"ffmpeg", "-nostdin", "-v", "error", "-y"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  run(command);
}

fs::path make_speech(const std::string& text, const std::string& voice) {
  return cached("flite\n" + voice + "\n" + text, "wav", [&](const fs::path& path) {
    run({"flite", "-voice", voice, "-t", text, "-o", path.string()});
  });
}

fs::path make_file(const std::string& content, const std::string& suffix) {
  return cached("file\n" + content, suffix,
                [&](const fs::path& path) { write_file_atomically(path, content).value(); });
}

TemporaryFolder::TemporaryFolder() {
  auto name = (fs::temp_directory_path() / "rushes-media-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace rushes::media::testing
