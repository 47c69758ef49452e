#include "base/random.h"

#include "base/text.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

namespace rushes {

std::string Rng::token(std::size_t bytes) {
  std::vector<std::uint8_t> buffer(bytes);
  fill(buffer);
  return base64url_encode({reinterpret_cast<const char*>(buffer.data()), buffer.size()});
}

std::uint64_t Rng::next_u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill(bytes);
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8U | byte;
  return value;
}

namespace {

/// Bytes of the kernel's that were drawn in advance, since a system call costs more than the bytes. Each is wiped when
/// it is given.
struct Drawn {
  std::array<std::uint8_t, 512> bytes{};
  std::size_t left = 0;  // at the end
};

void draw(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

void SystemRng::fill(std::span<std::uint8_t> bytes) {
  thread_local Drawn drawn;
  if (bytes.size() > drawn.bytes.size() / 4) return draw(bytes);
  if (drawn.left < bytes.size()) {
    draw(drawn.bytes);
    drawn.left = drawn.bytes.size();
  }
  const auto taken = std::span(drawn.bytes).subspan(drawn.bytes.size() - drawn.left, bytes.size());
  std::copy(taken.begin(), taken.end(), bytes.begin());
  ::explicit_bzero(taken.data(), taken.size());
  drawn.left -= bytes.size();
}

void SeededRng::fill(std::span<std::uint8_t> bytes) {
  for (auto& byte : bytes) {  // splitmix64
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebULL;
    byte = static_cast<std::uint8_t>(mixed >> 56U);
  }
}

}  // namespace rushes
