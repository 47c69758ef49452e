#include "media/limits.h"

namespace rushes::media {
namespace {

Limits& current() noexcept {
  static Limits limits;
  return limits;
}

}  // namespace

void set_limits(const Limits& limits) noexcept { current() = limits; }

const Limits& limits() noexcept { return current(); }

}  // namespace rushes::media
