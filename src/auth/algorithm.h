#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace rushes::auth {

/// The signatures that are known here (RFC 7518, 3.1; RFC 8037; RFC 9864). `none` is not one of them.
enum class Algorithm : std::uint8_t {
  hs256,  // HMAC with SHA-2: a shared secret
  hs384,
  hs512,
  rs256,  // RSASSA-PKCS1-v1_5
  rs384,
  rs512,
  ps256,  // RSASSA-PSS
  ps384,
  ps512,
  es256,  // ECDSA on P-256 with SHA-256
  es384,  // on P-384 with SHA-384
  es512,  // on P-521 with SHA-512
  eddsa,  // Ed25519, by that name (RFC 9864) or as EdDSA (RFC 8037)
};

/// By its exact name in a header (`HS256`); nothing for any other.
std::optional<Algorithm> parse_algorithm(std::string_view name) noexcept;

/// Whether it is a code that a shared secret makes, rather than a signature of a private key.
constexpr bool is_hmac(Algorithm algorithm) noexcept { return algorithm <= Algorithm::hs512; }

/// Some of the algorithms: those that a key is good for.
class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  template <class... More>
  constexpr explicit AlgorithmSet(Algorithm first, More... more) noexcept : bits_((bit(first) | ... | bit(more))) {}

  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr bool contains(Algorithm algorithm) const noexcept { return (bits_ & bit(algorithm)) != 0; }

 private:
  static constexpr unsigned bit(Algorithm algorithm) noexcept { return 1U << static_cast<unsigned>(algorithm); }

  unsigned bits_ = 0;
};

}  // namespace rushes::auth
