#include "box/usage.h"

#include "base/file.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <vector>

namespace rushes::box {
namespace {

namespace fs = std::filesystem;

TEST(BoxUsage, CountsAProcessAndAllThatItStarted) {
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    (void)::fork();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    std::vector<char> held(32U << 20U, 'x');
    (void)!::write(ready[1], held.data(), 1);
    for (;;) ::pause();
  }
  char byte = 0;
  for (int i = 0; i < 2; ++i) ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto usage = usage_of(parent);
  EXPECT_EQ(usage.processes, 2U);
  EXPECT_GT(usage.resident_bytes, std::uint64_t{64} << 20U);
  // Its child follows it.
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_EQ(usage_of(parent).processes, 0U);
}

TEST(BoxUsage, CountsAFolderWithoutFollowingLinks) {
  const auto root = fs::temp_directory_path() / ("rushes-usage-" + SystemRng().token(6));
  fs::create_directories(root / "below/further");
  ASSERT_TRUE(write_file_atomically(root / "below/further/file", std::string(100'000, 'x')));
  fs::create_directory_symlink("/usr", root / "link");
  const FileDescriptor folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto usage = usage_of_folder(folder.get());
  EXPECT_EQ(usage.entries, 4U);
  EXPECT_GE(usage.bytes, 100'000U);
  EXPECT_LT(usage.bytes, 1'000'000U);
  EXPECT_LE(usage_of_folder(folder.get(), 2).entries, 2U);
  fs::remove_all(root);
}

TEST(BoxUsage, AFolderThatCannotBeLookedIntoCountsAsFull) {
  const auto root = fs::temp_directory_path() / ("rushes-usage-" + SystemRng().token(6));
  auto deepest = root;
  for (int i = 0; i < 40; ++i) deepest /= "d";
  fs::create_directories(deepest);
  ASSERT_TRUE(write_file_atomically(deepest / "file", std::string(100'000, 'x')));
  const FileDescriptor folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(usage_of_folder(folder.get(), 500).entries, 500U) << "too deep";
  fs::remove_all(root / "d/d");
  EXPECT_EQ(usage_of_folder(folder.get(), 500).entries, 1U);
  if (::geteuid() != 0) {  // nothing is closed to root
    fs::permissions(root / "d", fs::perms::owner_write | fs::perms::owner_exec);
    EXPECT_EQ(usage_of_folder(folder.get(), 500).entries, 500U) << "no right to list it";
    fs::permissions(root / "d", fs::perms::owner_all);
    fs::permissions(root, fs::perms::none);
    EXPECT_EQ(usage_of_folder(folder.get(), 500).entries, 500U) << "the folder itself";
    fs::permissions(root, fs::perms::owner_all);
  }
  fs::remove_all(root);
}

}  // namespace
}  // namespace rushes::box
