#include "box/detail/lookup.h"

#include "box/detail/quiet_thread.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstring>
#include <exception>
#include <system_error>
#include <utility>

namespace rushes::box::detail {
namespace {

// Trivially destroyed: threads that the exit overtakes may still count it down.
constinit std::atomic<int> running_in_process{0};

/// One of at most `most`; false when all are taken.
bool take_one(std::atomic<int>& running, int most) {
  if (running.fetch_add(1) < most) return true;
  running.fetch_sub(1);
  return false;
}

}  // namespace

std::shared_ptr<Lookup> Lookup::start(Resolver resolver, std::string host, std::uint16_t port, Count running) {
  std::shared_ptr<Lookup> lookup(new Lookup);
  lookup->event_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!lookup->event_) return nullptr;
  if (!take_one(*running, kMaxOfDoor)) return nullptr;
  if (!take_one(running_in_process, kMaxOfProcess)) {
    running->fetch_sub(1);
    return nullptr;
  }
  try {
    quiet_thread([lookup, resolver = std::move(resolver), host = std::move(host), port, running] {
      std::vector<net::AddressFilter::Endpoint> found;
      try {
        found = resolver(host, port);
      } catch (const std::exception&) {
        // Out of memory: as good as no address.
      }
      {
        const std::lock_guard lock(lookup->mutex_);
        lookup->found_ = std::move(found);
      }
      running->fetch_sub(1);
      running_in_process.fetch_sub(1);
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(lookup->event_.get(), &one, sizeof one);
    }).detach();
    return lookup;
  } catch (const std::system_error&) {
    running->fetch_sub(1);
    running_in_process.fetch_sub(1);
    return nullptr;
  }
}

FileDescriptor Lookup::ended() const { return FileDescriptor(::fcntl(event_.get(), F_DUPFD_CLOEXEC, 0)); }

std::vector<net::AddressFilter::Endpoint> Lookup::take() {
  const std::lock_guard lock(mutex_);
  return std::move(found_);
}

std::vector<net::AddressFilter::Endpoint> resolve_by_system(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* first = nullptr;
  std::vector<net::AddressFilter::Endpoint> found;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first) != 0) return found;
  for (const auto* entry = first; entry != nullptr; entry = entry->ai_next) {
    net::AddressFilter::Endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    found.push_back(endpoint);
  }
  ::freeaddrinfo(first);
  return found;
}

}  // namespace rushes::box::detail
