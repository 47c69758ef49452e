#include "box/zygote.h"

#include "base/log.h"
#include "box/detail/messages.h"
#include "box/detail/namespaces.h"
#include "box/detail/privileges.h"
#include "box/enter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace rushes::box {
namespace {

constexpr int kBoxFailed = 70;  // EX_SOFTWARE
constexpr std::size_t kLeastDescriptors = 3;

/// A fork of a process with several threads copies one thread, and the locks that the others hold.
bool has_one_thread() {
#if defined(__SANITIZE_THREAD__)
  return true;  // its runtime has a thread of its own
#else
  std::error_code failed;
  const std::filesystem::directory_iterator tasks("/proc/self/task", failed);
  return !failed && std::distance(begin(tasks), end(tasks)) == 1;
#endif
}

/// The server answers before boxes work, and the kernel ends them before it when memory runs short.
void stand_behind_the_server() {
  constexpr int kNicer = 5;
  (void)!::nice(kNicer);
  const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), "500", 3);
}

/// Ties this process's end to its server's, which it would only notice between two orders: warming up takes a second.
/// After the last change of ids, which would clear it. False where the server is gone already.
bool end_with_server() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  pollfd server{kZygoteFd, 0, 0};
  return ::poll(&server, 1, 0) >= 0 && (server.revents & POLLHUP) == 0;
}

class Zygote {
 public:
  Zygote(const BoxedWork& work, const Identity& identity, detail::SyscallFilter analysis, detail::SyscallFilter fetch)
      : work_(work), identity_(identity), analysis_(std::move(analysis)), fetch_(std::move(fetch)) {}

  /// Serves the server's next order. False once it is gone.
  bool serve() {
    auto order = detail::receive_message(kZygoteFd);
    if (!order || order->text.empty()) return false;
    const auto spec = decode_box_spec(order->text);
    if (!spec || order->descriptors.size() < kLeastDescriptors) return refuse("an order that cannot be read");
    if (!has_one_thread()) return refuse("the zygote has more than one thread");
    const auto zygote_address_space = detail::address_space();
    auto cloned = detail::clone_into(spec->walls, true);
    if (!cloned) return refuse(cloned.error().what());
    if (cloned->pid == 0) work_in_box(*spec, std::move(order->descriptors), zygote_address_space);
    const auto made = "made " + std::to_string(cloned->pid);
    return static_cast<bool>(detail::send_message(kZygoteFd, made, {cloned->pidfd.get()}));
  }

 private:
  static bool refuse(const std::string& why) {
    log::error("box", "{}", why);
    return static_cast<bool>(detail::send_message(kZygoteFd, why));
  }

  [[noreturn]] void work_in_box(const BoxSpec& spec, std::vector<FileDescriptor> descriptors,
                                std::uint64_t zygote_address_space) {
    Entrance entrance;
    entrance.spec = spec;
    entrance.filter = spec.profile == Profile::fetch ? &fetch_ : &analysis_;
    entrance.user = identity_.user;
    entrance.group = identity_.group;
    entrance.dedicated_user = identity_.is_another;
    entrance.zygote_address_space = zygote_address_space;
    entrance.channel = std::move(descriptors[0]);
    entrance.output = std::move(descriptors[1]);
    entrance.scratch = std::move(descriptors[2]);
    for (auto i = kLeastDescriptors; i < descriptors.size(); ++i) {
      entrance.sources.push_back(std::move(descriptors[i]));
    }
    int status = kBoxFailed;
    if (auto entered = enter_box(std::move(entrance)); entered) {
      status = work_(spec);
    } else {
      (void)detail::send_message(kChannelFd, entered.error().what());
    }
    std::_Exit(status);  // no destructors: what they would end belongs to the zygote
  }

  const BoxedWork& work_;
  const Identity& identity_;
  const detail::SyscallFilter analysis_;
  const detail::SyscallFilter fetch_;
};

}  // namespace

int run_zygote(const Identity& identity, bool keep_privileges, const std::function<void()>& warm_up,
               const BoxedWork& work) {
  const auto fail = [](const Error& error) {
    log::error("box", "{}", error.what());
    return EXIT_FAILURE;
  };
  stand_behind_the_server();
  auto analysis = detail::SyscallFilter::make(Profile::analysis);
  if (!analysis) return fail(analysis.error());
  auto fetch = detail::SyscallFilter::make(Profile::fetch);
  if (!fetch) return fail(fetch.error());
  if (auto became = become(identity, keep_privileges); !became) return fail(became.error());
  if (!end_with_server()) return EXIT_SUCCESS;
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  warm_up();
  Zygote zygote(work, identity, std::move(*analysis), std::move(*fetch));
  while (zygote.serve()) {
  }
  return EXIT_SUCCESS;
}

}  // namespace rushes::box
