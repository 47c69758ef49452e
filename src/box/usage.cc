#include "box/usage.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::box {
namespace {

constexpr std::size_t kMostProcesses = 1'000;
constexpr std::size_t kDeepest = 32;

/// The numbers in a text of blanks and digits.
std::vector<std::uint64_t> numbers_in(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::uint64_t number = 0;
    const auto [next, failed] = std::from_chars(at, end, number);
    if (failed == std::errc()) numbers.push_back(number);
    at = next == at ? at + 1 : next;
  }
  return numbers;
}

std::vector<std::uint64_t> read_numbers(const std::string& path) {
  const auto text = read_file(path, 64U << 10U);
  return text ? numbers_in(*text) : std::vector<std::uint64_t>();
}

void add_children(std::uint64_t pid, std::vector<std::uint64_t>& into) {
  std::error_code failed;
  const auto tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks, failed)) {
    const auto children = read_numbers(task.path().string() + "/children");
    into.insert(into.end(), children.begin(), children.end());
  }
}

/// Of what was just opened: whether its owner has taken its own rights away.
bool is_closed(const FileDescriptor& folder) noexcept { return !folder && errno == EACCES; }

void add_folder(FileDescriptor folder, std::size_t depth, std::size_t most, FolderUsage& usage) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(folder.get()), &::closedir);
  if (!listing) return;
  const int here = folder.release();
  while (const auto* entry = ::readdir(listing.get())) {
    const char* name = static_cast<const char*>(entry->d_name);
    if (std::string_view(name) == "." || std::string_view(name) == "..") continue;
    if (usage.entries >= most) return;
    ++usage.entries;
    struct stat about {};
    if (::fstatat(here, name, &about, AT_SYMLINK_NOFOLLOW) != 0) continue;
    constexpr std::uint64_t kBlock = 512;
    usage.bytes += static_cast<std::uint64_t>(about.st_blocks) * kBlock;
    if (!S_ISDIR(about.st_mode)) continue;
    FileDescriptor below(::openat(here, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (depth == kDeepest || is_closed(below)) {
      usage.entries = most;  // there may be anything in it
    } else if (below) {
      add_folder(std::move(below), depth + 1, most, usage);
    }
  }
}

}  // namespace

ProcessUsage usage_of(pid_t first) {
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  ProcessUsage usage;
  std::vector<std::uint64_t> processes{static_cast<std::uint64_t>(first)};
  for (std::size_t i = 0; i < processes.size() && i < kMostProcesses; ++i) {
    const auto pages = read_numbers("/proc/" + std::to_string(processes[i]) + "/statm");
    if (pages.size() < 2) continue;
    usage.resident_bytes += pages[1] * page;
    ++usage.processes;
    add_children(processes[i], processes);
  }
  return usage;
}

FolderUsage usage_of_folder(int folder, std::size_t most_entries) {
  FolderUsage usage;
  FileDescriptor top(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (is_closed(top)) usage.entries = most_entries;
  if (top) add_folder(std::move(top), 0, most_entries, usage);
  return usage;
}

}  // namespace rushes::box
