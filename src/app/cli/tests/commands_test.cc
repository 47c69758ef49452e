#include "app/cli/commands.h"

#include "app/cli/connection.h"
#include "app/cli/doctor.h"
#include "app/cli/program_output.h"
#include "auth/jwt.h"
#include "auth/secret.h"
#include "base/file.h"
#include "base/random.h"
#include "store_sqlite/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace rushes::app::cli {
namespace {

using ::testing::HasSubstr;

class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    for (const auto* name : {"JWT_SECRET", "RUSHES_JWT_SECRET", "RUSHES_TOKEN", "RUSHES_SERVER", "RUSHES_DATA_DIR"}) {
      ::unsetenv(name);
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  struct Outcome {
    int code = -1;
    std::string out;
    std::string err;
  };
  /// What `rushes …` prints and returns.
  static Outcome rushes(std::vector<std::string> arguments) {
    CLI::App app("Rushes", "rushes");
    app.require_subcommand(1);
    Outcome outcome;
    add_commands(app, outcome.code);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError& error) {
      outcome.code = report_parse_error(app, error);
    }
    std::fflush(nullptr);
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("rushes-cli-" + SystemRng().token(6));
};

TEST_F(CommandsTest, TokenIsSignedWithTheServersSecret) {
  SystemRng rng;
  const auto secret = auth::load_or_create_secret(folder_ / "secret", rng).value().value;
  const auto made =
      rushes({"token", "--sub", "alice", "--role", "admin", "--ttl", "2h", "--data-dir", folder_, "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const auto document = parse_json(made.out).value();
  const SystemClock clock;
  const auto identity = auth::TokenVerifier(secret, clock, std::chrono::seconds(0))
                            .verify(std::string_view(document.at("token").get_string()))
                            .value();
  EXPECT_EQ(identity.user.value(), "alice");
  EXPECT_EQ(identity.role, "admin");
  const auto left = identity.expires_at - clock.now();
  EXPECT_GT(left, std::chrono::minutes(119));
  EXPECT_LE(left, std::chrono::hours(2));
}

TEST_F(CommandsTest, AConfiguredSecretComesFirst) {
  ::setenv("JWT_SECRET", "a secret of the back end, 32 bytes", 1);
  EXPECT_EQ(find_secret({{}, folder_}).value().value, "a secret of the back end, 32 bytes");
  ::unsetenv("JWT_SECRET");
  EXPECT_EQ(find_secret({{}, folder_}).error().public_name(), "SECRET_MISSING");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "secret")) << "asking makes none";
}

TEST_F(CommandsTest, WrongUseIsTwoAndHelpIsNone) {
  EXPECT_EQ(rushes({}).code, 2);
  EXPECT_EQ(rushes({"jobs", "--status", "sleeping"}).code, 2);
  EXPECT_EQ(rushes({"token", "--ttl", "soon"}).code, 2);
  EXPECT_EQ(rushes({"jobs", "--server", "nowhere"}).code, 2);
  EXPECT_EQ(rushes({"cancel"}).code, 2);
  const auto missing = rushes({"submit", "absent.mp4"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("'absent.mp4'"));
  for (const auto* command : {"submit", "watch", "jobs", "show", "cancel", "retry", "restart", "token", "doctor"}) {
    const auto help = rushes({command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr(std::string("  rushes ") + command)) << "an example";
    EXPECT_THAT(help.out, HasSubstr("--json")) << command;
  }
}

TEST_F(CommandsTest, ErrorsAreJsonWhereScriptsAsk) {
  const auto none = rushes({"jobs", "--server", "http://127.0.0.1:1", "--token", "t", "--json"});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(parse_json(none.out).value().at("error").at("code"), "SERVER_UNREACHABLE");
  const auto away = rushes({"jobs", "--server", "http://203.0.113.1", "--json"});
  EXPECT_EQ(parse_json(away.out).value().at("error").at("code"), "TOKEN_MISSING");
}

TEST_F(CommandsTest, DbWorksOnTheDatabaseOfTheDataFolder) {
  for (const auto* command : {"check", "backup", "vacuum"}) {
    const auto help = rushes({"db", command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_THAT(help.out, HasSubstr(std::string("  rushes db ") + command)) << "an example";
    EXPECT_THAT(help.out, HasSubstr("--json")) << command;
  }
  EXPECT_EQ(rushes({"db"}).code, 2);
  EXPECT_EQ(rushes({"db", "backup"}).code, 2);
  const auto none = rushes({"db", "check", "--data-dir", folder_, "--json"});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(parse_json(none.out).value().at("error").at("code"), "DATABASE_MISSING");

  const SystemClock clock;
  SystemRng rng;
  auto store = store_sqlite::Store::open(folder_ / "rushes.db", store_sqlite::StoreOptions(), clock, rng).value();
  const auto sound = rushes({"db", "check", "--data-dir", folder_});
  EXPECT_EQ(sound.code, 0) << sound.err;
  EXPECT_THAT(sound.out, HasSubstr("is sound: 0 jobs"));
  const auto copy = (folder_ / "copy.db").string();
  EXPECT_EQ(rushes({"db", "backup", copy, "--data-dir", folder_}).code, 0);
  const auto again = rushes({"db", "backup", copy, "--data-dir", folder_});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("--force"));
  EXPECT_EQ(rushes({"db", "backup", copy, "--force", "--data-dir", folder_}).code, 0);
  const auto busy = rushes({"db", "vacuum", "--data-dir", folder_});
  EXPECT_EQ(busy.code, 1);
  EXPECT_THAT(busy.err, HasSubstr("in use"));
  store.reset();
  const auto done = rushes({"db", "vacuum", "--data-dir", folder_, "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_GT(parse_json(done.out).value().at("after").as_int64(), 0);
}

TEST_F(CommandsTest, DoctorFindsWhatIsMissing) {
  const Timestamp now = from_millis(1'767'225'600'000);
  EXPECT_EQ(judge_yt_dlp("2025.12.20", now).state, Finding::State::good);
  const auto old = judge_yt_dlp("2023.03.04", now);
  EXPECT_EQ(old.state, Finding::State::warning);
  EXPECT_THAT(old.detail, HasSubstr("1034 days"));
  EXPECT_THAT(old.detail, HasSubstr("cookies are not used with one older than 2023.11.14"));
  EXPECT_THAT(old.remedy, AllOf(HasSubstr("pipx install yt-dlp"), HasSubstr("bookworm-backports")));
  EXPECT_THAT(judge_yt_dlp("2023.11.14", now).detail, Not(HasSubstr("cookies")));
  EXPECT_THAT(judge_yt_dlp("nightly", now).detail, HasSubstr("cookies are not used"));
  EXPECT_EQ(judge_yt_dlp("nightly", now).state, Finding::State::warning);
  const auto none = check_yt_dlp((folder_ / "no-such-yt-dlp").string(), now);
  EXPECT_EQ(none.state, Finding::State::missing);
  EXPECT_THAT(none.remedy, HasSubstr("RUSHES_YT_DLP"));
  const auto model = check_speech_model(folder_);
  EXPECT_EQ(model.state, Finding::State::missing);
  EXPECT_THAT(model.remedy, HasSubstr("apt-get install pocketsphinx-en-us"));
  ASSERT_TRUE(write_file_atomically(folder_ / "file", "x"));
  EXPECT_EQ(check_data_dir(folder_ / "file" / "data").state, Finding::State::missing);
  EXPECT_EQ(check_data_dir(folder_ / "not" / "yet").state, Finding::State::good);
  EXPECT_EQ(check_port("127.0.0.1", 0).state, Finding::State::good);
  EXPECT_EQ(check_port("203.0.113.1", 3000).state, Finding::State::missing);
}

TEST_F(CommandsTest, DoctorSaysSoInItsExitCode) {
  ASSERT_TRUE(write_file_atomically(folder_ / "secret", "readable by all", 0644));
  const auto found = rushes({"doctor", "--data-dir", folder_, "--port", "0", "--json"});
  EXPECT_EQ(found.code, 1);
  const auto document = parse_json(found.out).value();
  EXPECT_EQ(document.at("ok"), false);
  EXPECT_THAT(found.out, HasSubstr("chmod 600"));
}

TEST(ProgramOutput, ReadsEndsAndKills) {
  using std::chrono::milliseconds;
  EXPECT_EQ(program_output({"printf", "a b"}, milliseconds(5000)).value(), "a b");
  EXPECT_EQ(program_output({"false"}, milliseconds(5000)).error().code(), Errc::unavailable);
  EXPECT_EQ(program_output({"no-such-program-here"}, milliseconds(5000)).error().code(), Errc::not_found);
  EXPECT_EQ(program_output({"sleep", "60"}, milliseconds(50)).error().code(), Errc::timed_out);
}

}  // namespace
}  // namespace rushes::app::cli
