#include "base/remove_tree.h"

#include "base/file.h"
#include "base/random.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace rushes {
namespace {

namespace fs = std::filesystem;

fs::path new_folder() {
  auto path = fs::temp_directory_path() / ("rushes-remove-" + SystemRng().token(6));
  fs::create_directories(path);
  return path;
}

TEST(RemoveTree, RemovesWhatItsMakerHasClosed) {
  const auto root = new_folder();
  fs::create_directories(root / "closed/below");
  ASSERT_TRUE(write_file_atomically(root / "closed/below/file", "x"));
  fs::permissions(root / "closed/below", fs::perms::none);
  fs::permissions(root / "closed", fs::perms::none);
  fs::permissions(root, fs::perms::none);
  const auto removed = remove_tree(root);
  EXPECT_TRUE(removed) << removed.error().what();
  EXPECT_FALSE(fs::exists(root));
  EXPECT_TRUE(remove_tree(root)) << "nothing is there";
}

TEST(RemoveTree, NeedsNoDescriptorForEachLevel) {
  constexpr int kLevels = 700;
  const auto root = new_folder();
  FileDescriptor here(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < kLevels; ++i) {
    ASSERT_EQ(::mkdirat(here.get(), "d", 0700), 0);
    ASSERT_EQ(::mkdirat(here.get(), "e", 0700), 0);
    here = FileDescriptor(::openat(here.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  here.reset();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{40, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  const auto removed = remove_tree(root);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(removed) << removed.error().what();
  EXPECT_FALSE(fs::exists(root));
}

TEST(RemoveTree, FollowsNoLinks) {
  const auto root = new_folder();
  const auto other = new_folder();
  ASSERT_TRUE(write_file_atomically(other / "kept", "x"));
  fs::create_directory_symlink(other, root / "link");
  fs::create_directories(root / "below");
  fs::create_directory_symlink(other, root / "below/link");
  EXPECT_TRUE(remove_tree(root));
  EXPECT_FALSE(fs::exists(root));
  EXPECT_TRUE(fs::exists(other / "kept"));
  fs::create_directory_symlink(other, root);
  EXPECT_TRUE(remove_tree(root)) << "a link itself";
  EXPECT_TRUE(fs::exists(other / "kept"));
  EXPECT_TRUE(remove_tree(other));
}

}  // namespace
}  // namespace rushes
