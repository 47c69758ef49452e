// What code that has taken over a job can do, tried in the place of a job (probe.cc, tries.cc).
#include "async/run.h"
#include "base/json.h"
#include "base/random.h"
#include "box/host.h"
#include "box/launcher.h"
#include "box/usage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <set>

namespace rushes::box {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

/// What this host gives, asked of a process of one thread.
const HostReport& host() {
  static const auto report = [] {
    const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(RUSHES_PROBE " box-check", "r"), &::pclose);
    std::string text(64U << 10U, ' ');
    text.resize(std::fread(text.data(), 1, text.size(), output.get()));
    return decode_host_report(text).value();
  }();
  return report;
}

class BoxProbe : public ::testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // as the server does
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    fs::create_directories(root_ / "data/uploads/other");
    fs::create_directories(root_ / "scratch");
    fs::permissions(root_ / "data", fs::perms::owner_all);
    for (const auto* name : {"data/rushes.db", "data/uploads/other/source", "source"}) {
      ASSERT_TRUE(write_file_atomically(root_ / name, "content", 0600));
    }
    const auto identity = box_identity();
    if (identity.is_another) {
      ASSERT_EQ(::chown((root_ / "scratch").c_str(), identity.user, identity.group), 0);
    }
    listen_around();
    victim_ = ::fork();
    if (victim_ == 0) {
      (void)become(identity, false);
      for (;;) ::pause();
    }
  }
  void TearDown() override {
    ::kill(victim_, SIGKILL);
    ::waitpid(victim_, nullptr, 0);
    fs::remove_all(root_);
    fs::remove(path_socket_);
  }

  static BoxSpec spec(Profile profile) {
    BoxSpec spec;
    spec.profile = profile;
    spec.walls = host().walls;
    spec.limits.memory_bytes = std::uint64_t{256} << 20U;
    spec.limits.scratch_bytes = std::uint64_t{8} << 20U;
    spec.limits.file_bytes = std::uint64_t{4} << 20U;
    return spec;
  }
  /// Without any namespace.
  static BoxSpec weak(Profile profile, int landlock) {
    auto weak = spec(profile);
    weak.walls = {false, false, false, false, false, landlock, true};
    return weak;
  }

  Result<std::string> answer(const BoxSpec& spec, const json::object& order);
  Names passed(const BoxSpec& spec);
  Task<Result<std::string>> converse(BoxSpec spec, std::string order);
  void listen_around();
  int listen_unix(const std::string& name, bool abstract);

  fs::path root_ = fs::temp_directory_path() / ("rushes-probe-" + SystemRng().token(6));
  std::string path_socket_ = "/tmp/rushes-probe-" + SystemRng().token(6) + ".sock";
  std::string abstract_ = "rushes-probe-" + SystemRng().token(6);
  std::vector<FileDescriptor> listeners_;
  int port_ = 0;
  pid_t victim_ = 0;
  std::size_t processes_ = 0;         // of the box, when it had answered
  std::chrono::milliseconds gone_{};  // what its end took
  std::chrono::milliseconds used_{};  // its processor time
};

void BoxProbe::listen_around() {
  FileDescriptor tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof here;
  ASSERT_EQ(::bind(tcp.get(), reinterpret_cast<const sockaddr*>(&here), size), 0);
  ASSERT_EQ(::listen(tcp.get(), 8), 0);
  ASSERT_EQ(::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&here), &size), 0);
  port_ = ntohs(here.sin_port);
  listeners_.push_back(std::move(tcp));
  listeners_.emplace_back(listen_unix(path_socket_, false));
  listeners_.emplace_back(listen_unix(abstract_, true));
  fs::permissions(path_socket_, fs::perms::all);
}

int BoxProbe::listen_unix(const std::string& name, bool abstract) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un there{};
  there.sun_family = AF_UNIX;
  std::memcpy(there.sun_path + (abstract ? 1 : 0), name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + 1);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&there), size), 0) << name;
  EXPECT_EQ(::listen(fd, 8), 0);
  return fd;
}

Task<Result<std::string>> BoxProbe::converse(BoxSpec spec, std::string order) {
  ZygoteOptions zygote;
  zygote.program = RUSHES_PROBE;
  if (host().keep_privileges && spec.walls.network) zygote.arguments = {"keep-privileges"};
  zygote.environment = {"PATH=/usr/bin:/bin"};
  Launcher launcher(co_await asio::this_coro::executor, zygote);
  BoxOrder made;
  made.spec = spec;
  made.scratch = FileDescriptor(::open((root_ / "scratch").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  made.sources.emplace_back(::open((root_ / "source").c_str(), O_RDONLY | O_CLOEXEC));
  const auto launch = launcher.launch(std::move(made));
  co_await launch->wait();
  auto box = *launch->take();
  co_await launcher.stop();
  if (!box) co_return box.error();
  co_await (*box)->send(std::move(order));
  auto answer = co_await (*box)->receive();
  processes_ = usage_of((*box)->pid()).processes;
  const auto began = std::chrono::steady_clock::now();
  (*box)->kill();
  const auto exit = co_await (*box)->reap();
  gone_ = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  used_ = exit.processor_time;
  if (!answer) co_return Error(Errc::unavailable, exit.how);
  co_return answer;
}

Result<std::string> BoxProbe::answer(const BoxSpec& spec, const json::object& order) {
  return run_to_end(converse(spec, json::serialize(order)));
}

Names BoxProbe::passed(const BoxSpec& spec) {
  const json::object order{{"what", "tries"},  {"server", ::getpid()},       {"data", (root_ / "data").string()},
                           {"port", port_},    {"pathSocket", path_socket_}, {"abstract", abstract_},
                           {"victim", victim_}};
  const auto text = answer(spec, order);
  EXPECT_TRUE(text) << text.error().what();
  Names names;
  if (!text) return names;
  std::size_t all = 0;
  const auto tries = parse_json(*text).value();
  for (const auto& one : tries.as_array()) {
    ++all;
    if (one.at("passed").as_bool()) names.emplace(one.at("name").as_string());
  }
  EXPECT_GT(all, 70U) << "tries that were made";
  return names;
}

// What fetching is allowed, since it runs programs.
const Names kFetching{"fork", "run a program", "make code"};

TEST_F(BoxProbe, EveryTryFailsInAWholeBox) {
  if (!host().complete()) GTEST_FAIL() << "this host lacks " << host().missing.front().part;
  EXPECT_THAT(passed(spec(Profile::analysis)), IsEmpty());
  EXPECT_EQ(passed(spec(Profile::fetch)), kFetching);
  EXPECT_EQ(read_file(root_ / "source").value(), "content");
}

TEST_F(BoxProbe, EveryTryFailsAlsoWithAnOlderOrNoLandlock) {
  for (const int abi : {2, 0}) {
    auto older = spec(Profile::analysis);
    older.walls.landlock = abi;
    EXPECT_THAT(passed(older), IsEmpty()) << abi;
    older.profile = Profile::fetch;
    EXPECT_EQ(passed(older), kFetching) << abi;
  }
}

TEST_F(BoxProbe, ForksAreBoundedAndEndWithTheJob) {
  const auto made = answer(spec(Profile::fetch), {{"what", "forks"}, {"most", 300}});
  // Without a user namespace the processes of all boxes count together, and there is room for those of 16.
  EXPECT_LT(std::stoi(made.value()), host().walls.user ? 16 : 256);
  EXPECT_GT(std::stoi(made.value()), 5);
  EXPECT_EQ(processes_, static_cast<std::size_t>(std::stoi(*made)) + 1);
  EXPECT_LT(gone_, std::chrono::seconds(2));
  auto many = spec(Profile::fetch);
  many.limits.processes = 400;
  EXPECT_EQ(answer(many, {{"what", "forks"}, {"most", 300}}).value(), "300");
  EXPECT_EQ(processes_, 301U);
  EXPECT_LT(gone_, std::chrono::seconds(2));
  std::cout << "300 processes gone after " << gone_.count() << " ms\n";
}

TEST_F(BoxProbe, MemoryFilesAndTimeAreBounded) {
  for (const auto profile : {Profile::analysis, Profile::fetch}) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const auto touched = std::stoi(answer(spec(profile), {{"what", "memory"}}).value());
    EXPECT_LE(touched, 256);
    EXPECT_GE(touched, 128);
#endif
    EXPECT_EQ(answer(spec(profile), {{"what", "file"}}).value(), std::to_string(4U << 20U));
    auto small = spec(profile);
    small.limits.file_bytes = std::uint64_t{64} << 20U;
    EXPECT_LE(std::stoul(answer(small, {{"what", "file"}}).value()), 8U << 20U) << "the scratch folder's own size";
    small.limits.cpu_seconds = 1;
    EXPECT_EQ(answer(small, {{"what", "burn"}}).error().what(), "signal 9 (Killed)");
    EXPECT_NEAR(static_cast<double>(used_.count()), 1'000, 300);
  }
}

// The columns of the table in docs/security.md.
struct Column {
  Profile profile;
  int landlock;
};
constexpr std::array kColumns{Column{Profile::analysis, 2}, Column{Profile::analysis, 0}, Column{Profile::fetch, 2},
                              Column{Profile::fetch, 0}};

/// A row for each try that passes in one of them.
std::string table(const std::array<Names, kColumns.size()>& passed) {
  Names all;
  for (const auto& names : passed) all.insert(names.begin(), names.end());
  std::string rows;
  for (const auto& name : all) {
    rows += "| " + name + " |";
    for (const auto& names : passed) rows += names.contains(name) ? " yes |" : " no |";
    rows += '\n';
  }
  return rows;
}

TEST_F(BoxProbe, WhatPassesWithoutNamespacesIsWhatTheDocumentSays) {
  if (::geteuid() == 0) return;  // the table is of one user; the test runs as such, too
  std::array<Names, kColumns.size()> seen;
  for (std::size_t i = 0; i < seen.size(); ++i)
    seen.at(i) = passed(weak(kColumns.at(i).profile, kColumns.at(i).landlock));
  const auto rows = table(seen);
  std::cout << "what passes without namespaces:\n" << rows;
  const auto text = read_file(RUSHES_SECURITY_DOC).value();
  const std::string_view begin = "|---|---|---|---|---|\n";
  const auto from = text.find(begin, text.find("<!-- probes:begin -->"));
  const auto to = text.find("<!-- probes:end -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(rows, text.substr(from + begin.size(), to - from - begin.size()));
}

}  // namespace
}  // namespace rushes::box
