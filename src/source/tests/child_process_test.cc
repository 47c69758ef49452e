#include "source/detail/child_process.h"

#include "box/tests/site.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace rushes::source::detail {
namespace {

Child shell(const std::string& script) {
  Child child;
  child.arguments = {"/bin/sh", "-c", script};
  child.environment = {"PATH=/usr/bin:/bin"};
  child.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  return child;
}

TEST(RunChild, ReadsBothPipesHoweverMuchComesWhere) {
  // More than a pipe holds on each: whoever reads one to its end first never ends.
  const auto result = run_child(shell("yes error | head -c 300000 >&2; yes out | head -c 400000; exit 3")).value();
  EXPECT_EQ(result.end, ChildEnd::exited);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output.size(), 400'000U);
  EXPECT_EQ(result.errors.size(), 65'536U);
  EXPECT_TRUE(result.errors.ends_with("error\n"));
}

TEST(RunChild, EndsWhatTakesTooLong) {
  auto child = shell("exec sleep 1000");
  child.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  const auto result = run_child(child).value();
  EXPECT_EQ(result.end, ChildEnd::timed_out);
  EXPECT_EQ(result.exit_code, 128 + 9);
}

TEST(RunChild, EndsWhatSaysTooMuch) {
  auto child = shell("exec yes");
  child.max_output = 10'000;
  EXPECT_EQ(run_child(child).value().end, ChildEnd::too_much_output);
}

TEST(RunChild, TellsWhichSignalEndedIt) {
  const auto result = run_child(shell("kill -XCPU $$")).value();
  EXPECT_EQ(result.end, ChildEnd::exited);
  EXPECT_EQ(result.signal, SIGXCPU);
  EXPECT_EQ(run_child(shell("exit 137")).value().signal, 0);
}

TEST(RunChild, DoesNotWaitForAGrandchildThatHoldsThePipes) {
  const auto result = run_child(shell("sleep 5 & echo done; kill $! 2>/dev/null || true; (sleep 3 &) ")).value();
  EXPECT_EQ(result.end, ChildEnd::exited);
  EXPECT_EQ(result.output, "done\n");
}

TEST(RunChild, HandsLinesOverAsTheyCome) {
  auto child = shell("printf 'one\\ntwo\\nrest'");
  std::vector<std::string> lines;
  child.on_line = [&](std::string_view line) { lines.emplace_back(line); };
  ASSERT_TRUE(run_child(child));
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
}

TEST(RunChild, StaysInTheGroupAndInheritsNothing) {
  constexpr int kOpen = 77;
  ASSERT_EQ(::dup2(STDIN_FILENO, kOpen), kOpen);  // without O_CLOEXEC
  auto child = shell("ps -o pgid= -p $$ | tr -d ' '; test -h /proc/$$/fd/77 && echo leaked; env | sort; pwd; wc -c");
  const box::TemporaryFolder folder;
  child.folder = folder.path();
  child.environment = {"PATH=/usr/bin:/bin", "SECRET_OF_CHILD=1"};
  ::setenv("SECRET_OF_PARENT", "1", 1);
  const auto out = run_child(child).value().output;
  ::close(kOpen);
  EXPECT_TRUE(out.starts_with(std::to_string(::getpgrp()) + "\n")) << out;
  EXPECT_EQ(out.find("leaked"), std::string::npos) << out;
  EXPECT_EQ(out.find("SECRET_OF_PARENT"), std::string::npos) << out;
  EXPECT_NE(out.find("SECRET_OF_CHILD=1"), std::string::npos) << out;
  EXPECT_NE(out.find(folder.path().string() + "\n0\n"), std::string::npos) << out << "its input is empty";
}

TEST(RunChild, SaysWhenThereIsNoSuchProgram) {
  Child child;
  child.arguments = {"no-such-program-anywhere"};
  child.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  const auto result = run_child(child);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::not_found);
}

}  // namespace
}  // namespace rushes::source::detail
