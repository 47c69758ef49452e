#include "box/take_over.h"

#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rushes::box {
namespace {

namespace fs = std::filesystem;

class TakeOver : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(made_ / "output");
    folder_ = FileDescriptor(::open(made_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(write_file_atomically(root_ / "secret", "secret"));
  }
  void TearDown() override { fs::remove_all(root_); }
  void make(const std::string& name, std::string_view content = "x") {
    ASSERT_TRUE(write_file_atomically(made_ / name, content));
  }
  Errc refusal(const std::string& name) { return open_made_file(folder_.get(), name, 1'000).error().code(); }
  Result<std::size_t> take(const TakeOverLimits& limits = {}) {
    return take_over(folder_.get(), "output", root_ / "kept", limits);
  }

  fs::path root_ = fs::temp_directory_path() / ("rushes-take-" + SystemRng().token(6));
  fs::path made_ = root_ / "made";
  FileDescriptor folder_;
};

TEST_F(TakeOver, CopiesPlainFilesAsTheServersOwn) {
  make("output/a.jpg", "picture");
  make("output/captions.vtt", "");
  EXPECT_EQ(take().value(), 2U);
  EXPECT_EQ(read_file(root_ / "kept/a.jpg").value(), "picture");
  struct stat about {};
  ASSERT_EQ(::stat((root_ / "kept/a.jpg").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((root_ / "kept").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
}

TEST_F(TakeOver, MakesNoFolderForNothing) {
  EXPECT_EQ(take().value(), 0U);
  fs::remove(made_ / "output");
  EXPECT_EQ(take().value(), 0U);
  EXPECT_FALSE(fs::exists(root_ / "kept"));
}

TEST_F(TakeOver, RefusesWhatIsNoPlainFileOfOneName) {
  make("plain");
  ASSERT_TRUE(open_made_file(folder_.get(), "plain", 1'000));
  fs::create_symlink(root_ / "secret", made_ / "link");
  fs::create_directory_symlink(root_, made_ / "up");
  fs::create_hard_link(root_ / "secret", made_ / "twice");
  ASSERT_EQ(::mkfifo((made_ / "pipe").c_str(), 0600), 0);
  make("large", std::string(1'001, 'x'));
  for (const auto* name : {"link", "up/secret", "twice", "pipe", "output", "../secret", "large", "/etc/passwd", "."}) {
    EXPECT_EQ(refusal(name), Errc::forbidden) << name;
  }
  EXPECT_EQ(refusal("absent"), Errc::not_found);
}

TEST_F(TakeOver, RefusesTheWholeForOneTrap) {
  for (const auto* trap : {"link", "name with blank", ".hidden", "-", "a\nb"}) {
    const auto path = made_ / "output" / trap;
    if (std::string_view(trap) == "link") {
      fs::create_symlink(root_ / "secret", path);
    } else {
      make(std::string("output/") + trap);
    }
    const auto taken = take();
    if (std::string_view(trap) == "-") {
      EXPECT_TRUE(taken) << "a name like any other";
    } else {
      EXPECT_EQ(taken.error().code(), Errc::forbidden) << trap;
    }
    fs::remove(path);
    fs::remove_all(root_ / "kept");
  }
  fs::remove_all(made_ / "output");
  fs::create_directory_symlink(root_, made_ / "output");
  EXPECT_EQ(take().error().code(), Errc::forbidden);
}

TEST_F(TakeOver, IsBounded) {
  for (int i = 0; i < 3; ++i) make("output/" + std::to_string(i), "12345");
  EXPECT_EQ(take({2, 1'000}).error().code(), Errc::forbidden);
  EXPECT_EQ(take({3, 14}).error().code(), Errc::forbidden);
  fs::remove_all(root_ / "kept");
  EXPECT_EQ(take({3, 15}).value(), 3U);
}

}  // namespace
}  // namespace rushes::box
