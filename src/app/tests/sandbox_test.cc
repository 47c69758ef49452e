#include "app/sandbox.h"

#include "base/file.h"
#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app {
namespace {

namespace fs = std::filesystem;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_ / "bin"); }
  void TearDown() override { fs::remove_all(root_); }

  const fs::path root_ = fs::canonical(fs::temp_directory_path()) / ("rushes-sandbox-" + SystemRng().token(6));
};

TEST_F(SandboxTest, NamesWhatYtDlpNeedsOnce) {
  const auto program = root_ / "bin/yt-dlp";
  ASSERT_TRUE(write_file_atomically(program, "#!/bin/sh\n"));
  EXPECT_THAT(yt_dlp_paths(program, ""), ::testing::ElementsAre(program.string()));
  fs::create_symlink(program, root_ / "link");
  EXPECT_THAT(yt_dlp_paths(root_ / "link", root_.string() + ":" + root_.string()),
              ::testing::ElementsAre(root_.string(), (root_ / "link").string(), program.string()));
}

TEST_F(SandboxTest, FindsTheFolderThatShowsAPath) {
  fs::create_directory_symlink(root_ / "bin", root_ / "link");
  const std::vector<std::string> folders{"/nothing/here", "/usr", (root_ / "bin").string()};
  EXPECT_EQ(folder_above("/usr/local/rushes/data", folders), "/usr");
  EXPECT_EQ(folder_above("/usr", folders), "/usr");
  EXPECT_EQ(folder_above(root_ / "bin/not/yet", folders), folders[2]);
  EXPECT_EQ(folder_above(root_ / "link/data", folders), folders[2]);
  EXPECT_EQ(folder_above(root_ / "binary", folders), "");
  EXPECT_EQ(folder_above("/usr-local", folders), "");
  EXPECT_EQ(folder_above("/var/lib", {"/"}), "/");
}

}  // namespace
}  // namespace rushes::app
