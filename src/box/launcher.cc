#include "box/launcher.h"

#include "base/log.h"
#include "box/detail/messages.h"
#include "box/zygote.h"

#include <boost/asio/redirect_error.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <functional>

namespace rushes::box {
namespace {

struct SocketPair {
  FileDescriptor ours;
  FileDescriptor theirs;
};

Result<SocketPair> make_socket_pair(int kind) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return system_error("cannot make", "a socket pair");
  }
  return SocketPair{FileDescriptor(pair[0]), FileDescriptor(pair[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Starts the program with `socket` at `kZygoteFd`, in a process group of its own.
Result<pid_t> spawn(const ZygoteOptions& options, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, socket, kZygoteFd);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kZygoteFd + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> arguments{options.program.string()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  auto environment = options.environment;
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, options.program.c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                   pointers_to(environment).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) return pid;
  errno = failed;
  return Error(Errc::unavailable, system_error("cannot start", options.program).what());
}

/// Calls `out_of_time` unless it is destroyed before, on an executor of one thread.
class Patience {
 public:
  Patience(const Executor& executor, std::chrono::milliseconds time, std::function<void()> out_of_time)
      : timer_(executor, time) {
    timer_.async_wait([waits = waits_, out_of_time = std::move(out_of_time)](const boost::system::error_code& failed) {
      if (!failed && *waits) out_of_time();
    });
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
  ~Patience() { *waits_ = false; }

 private:
  const std::shared_ptr<bool> waits_ = std::make_shared<bool>(true);  // it may have fired already
  asio::steady_timer timer_;
};

}  // namespace

Launch::Launch(const Executor& executor) : ended_(executor, asio::steady_timer::time_point::max()) {}

Task<> Launch::wait() {
  boost::system::error_code woken;
  while (!made_ && !given_up_) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void Launch::give_up() noexcept {
  given_up_ = true;
  ended_.cancel();
}

Launcher::Launcher(Executor executor, ZygoteOptions options)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      my_turn_(executor_, asio::steady_timer::time_point::max()),
      gate_(executor_) {}

Launcher::~Launcher() { end_zygote(); }

Result<void> Launcher::start() {
  if (gate_.closed()) return Error(Errc::unavailable, "box: the server stops");
  if (pid_ != 0) return {};
  auto pair = make_socket_pair(SOCK_SEQPACKET);
  if (!pair) return pair.error();
  const auto pid = spawn(options_, pair->theirs.get());
  if (!pid) return pid.error();
  pid_ = *pid;
  socket_.emplace(executor_, pair->ours.release());
  log::debug("box", "zygote started pid={}", pid_);
  return {};
}

void Launcher::end_zygote() noexcept {
  if (pid_ == 0) return;
  socket_.reset();
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

Task<> Launcher::stop() {
  if (pid_ != 0) ::kill(pid_, SIGKILL);  // whoever waits for its answer sees its end
  co_await gate_.close();
  end_zygote();
}

std::shared_ptr<Launch> Launcher::launch(BoxOrder order) {
  auto launch = std::make_shared<Launch>(executor_);
  if (auto pass = gate_.try_enter()) {
    spawn_detached(executor_, "box", make(std::move(order), launch, std::move(*pass)));
  } else {
    launch->made_.emplace(Error(Errc::unavailable, "box: the server stops"));
  }
  return launch;
}

Task<> Launcher::make(BoxOrder order, std::shared_ptr<Launch> launch, Gate::Pass /*pass*/) {
  auto box = co_await make_box(order);
  if (launch->given_up_) {
    if (box) co_await (*box)->reap();
  } else {
    launch->made_ = std::move(box);
    launch->ended_.cancel();
  }
}

Task<Result<std::unique_ptr<Box>>> Launcher::make_box(const BoxOrder& order) {
  boost::system::error_code woken;
  while (busy_) co_await my_turn_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  busy_ = true;
  auto box = co_await ask(order);
  if (!box && pid_ == 0) box = co_await ask(order);  // it had died: a new one
  busy_ = false;
  my_turn_.cancel_one();
  if (!box) co_return box.error();

  std::optional<Patience> patience;
  patience.emplace(executor_, options_.patience, [made = box->get()] { made->kill(); });
  const auto ready = co_await (*box)->become_ready();
  patience.reset();
  if (ready) co_return box;
  const auto exit = co_await (*box)->reap();
  co_return Error(Errc::unavailable, ready.error().what() + " (" + exit.how + ") " + (*box)->output().text());
}

Task<Result<std::unique_ptr<Box>>> Launcher::ask(const BoxOrder& order) {
  using Answer = Result<std::unique_ptr<Box>>;
  if (auto started = start(); !started) co_return started.error();
  auto channel = make_socket_pair(SOCK_STREAM);
  if (!channel) co_return channel.error();
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) co_return system_error("cannot make", "a pipe");
  Box::Parts parts;
  parts.channel = std::move(channel->ours);
  parts.output = FileDescriptor(pipe[0]);
  const FileDescriptor errors(pipe[1]);

  std::vector<int> handed{channel->theirs.get(), errors.get(), order.scratch.get()};
  for (const auto& source : order.sources) handed.push_back(source.get());
  const auto sent = detail::send_message(socket_->native_handle(), encode(order.spec), handed);
  Result<detail::Message> answer = Error(Errc::unavailable, "box: the zygote is gone");
  std::optional<Patience> patience;
  patience.emplace(executor_, options_.patience, [this] { ::kill(pid_, SIGKILL); });
  if (sent) answer = co_await detail::async_receive_message(*socket_);
  patience.reset();
  if (!answer || answer->text.empty()) {
    log::warning("box", "the zygote ended pid={}", pid_);
    end_zygote();
    co_return Error(Errc::unavailable, "box: the zygote ended");
  }
  const std::string_view made = "made ";
  if (!answer->text.starts_with(made) || answer->descriptors.empty()) {
    co_return Error(Errc::unavailable, "box: " + answer->text);
  }
  const auto number = std::string_view(answer->text).substr(made.size());
  (void)std::from_chars(number.data(), number.data() + number.size(), parts.pid);
  parts.pidfd = std::move(answer->descriptors[0]);
  co_return Answer(std::unique_ptr<Box>(new Box(executor_, std::move(parts))));
}

}  // namespace rushes::box
