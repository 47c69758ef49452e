#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace rushes {

/// Where random bytes come from. Session ids, secrets and job ids are drawn from it, so the
/// real one must be the kernel's.
///
/// Threads: thread-safe.
class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  /// `bytes` random bytes in URL-safe base64 without padding.
  std::string token(std::size_t bytes);
  std::uint64_t next_u64();
};

/// getrandom(2), some hundred bytes at once. Not to be used in a child that was forked and does not exec: it would give
/// the same bytes again.
class SystemRng final : public Rng {
 public:
  void fill(std::span<std::uint8_t> bytes) override;
};

/// The same sequence for the same seed. For tests; single-owner.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::uint8_t> bytes) override;

 private:
  std::uint64_t state_;
};

}  // namespace rushes
