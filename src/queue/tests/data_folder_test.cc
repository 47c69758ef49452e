#include "queue/data_folder.h"

#include "base/file.h"

#include <gtest/gtest.h>

namespace rushes::queue {
namespace {

namespace fs = std::filesystem;

TEST(DataFolder, ClearsWhatACrashLeftAndKeepsTheRest) {
  SystemClock clock;
  SystemRng rng;
  const DataFolder folder(fs::temp_directory_path() / ("rushes-folder-" + rng.token(6)));
  ASSERT_TRUE(folder.prepare());
  const JobId whole(new_uuid(clock, rng));
  const JobId half(new_uuid(clock, rng));
  for (const auto& path : {folder.upload(whole), folder.upload(half), folder.scratch(whole, 1)}) {
    fs::create_directories(path);
  }
  ASSERT_TRUE(write_file_atomically(folder.upload(whole) / "source", "x"));
  ASSERT_TRUE(write_file_atomically(folder.upload(half) / "incoming", "x"));

  ASSERT_TRUE(folder.prepare());

  EXPECT_TRUE(fs::exists(folder.upload(whole) / "source"));
  EXPECT_FALSE(fs::exists(folder.upload(half)));
  EXPECT_FALSE(fs::exists(folder.scratch(whole, 1)));
  fs::remove_all(folder.root());
}

TEST(DataFolder, RemovesTheFilesOfOneAnalysisOnly) {
  SystemClock clock;
  SystemRng rng;
  const DataFolder folder(fs::temp_directory_path() / ("rushes-folder-" + rng.token(6)));
  ASSERT_TRUE(folder.prepare());
  const AuditId one(new_uuid(clock, rng));
  const AuditId other(new_uuid(clock, rng));
  const auto kept = folder.files(DataFolder::new_files_key(other, rng));
  const auto gone = folder.files(DataFolder::new_files_key(one, rng));
  fs::create_directories(kept);
  fs::create_directories(gone);
  folder.remove_files_of(one);
  EXPECT_TRUE(fs::exists(kept));
  EXPECT_FALSE(fs::exists(gone));
  fs::remove_all(folder.root());
}

TEST(DataFolder, KnowsItsOwnKeys) {
  SystemClock clock;
  SystemRng rng;
  EXPECT_TRUE(DataFolder::is_files_key(DataFolder::new_files_key(AuditId(new_uuid(clock, rng)), rng)));
  EXPECT_FALSE(DataFolder::is_files_key("../../etc"));
  EXPECT_FALSE(DataFolder::is_files_key(new_uuid(clock, rng)));
  EXPECT_FALSE(DataFolder::is_files_key(new_uuid(clock, rng) + "-../x"));
}

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

struct statvfs disk_with(std::uint64_t mebibytes) {
  struct statvfs disk {};
  disk.f_frsize = kMiB;
  disk.f_bavail = mebibytes;
  return disk;
}

TEST(CheckRoom, AFileNeedsItsSizeAndALittleMore) {
  EXPECT_TRUE(check_room(disk_with(133), 3));
  EXPECT_TRUE(check_room(disk_with(16), 0));
  EXPECT_TRUE(check_room(disk_with(116), 100 * kMiB));
  const auto refused = check_room(disk_with(115), 100 * kMiB);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().public_name(), "DISK_FULL");
  EXPECT_NE(refused.error().what().find("100 MiB"), std::string::npos);
}

TEST(CheckRoom, ADiskThatIsReadOnlyIsNotFull) {
  auto disk = disk_with(0);
  disk.f_flag = ST_RDONLY;
  const auto refused = check_room(disk, 3);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().public_name(), "DISK_READ_ONLY");
}

}  // namespace
}  // namespace rushes::queue
