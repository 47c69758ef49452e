#pragma once
#include <csignal>
#include <thread>
#include <utility>

namespace rushes::box::detail {

/// Starts a thread that takes no signals: they are the business of the threads that expect them.
/// Throws std::system_error when the system has no more threads.
template <class Work>
std::thread quiet_thread(Work work) {
  struct Masked {
    Masked() {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    Masked(const Masked&) = delete;
    Masked& operator=(const Masked&) = delete;
    ~Masked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    sigset_t before{};
  };
  const Masked masked;  // the new thread inherits the mask
  return std::thread(std::move(work));
}

}  // namespace rushes::box::detail
