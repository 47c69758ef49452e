#pragma once
#include "auth/jwks_fetch.h"
#include "auth/key_set.h"
#include "base/result.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::auth {

/// Where keys come from.
struct KeySource {
  enum class Kind : std::uint8_t {
    secret,     // HMAC
    pem_file,   // a public key or a certificate
    jwks_file,  // RFC 7517
    jwks_url,   // the same, over http or https
  };
  Kind kind = Kind::secret;
  std::string value;  // the secret, the path, the URL
  std::string name;   // what the operator calls it: the setting's name
};

/// The keys of all sources, as they last were good. They are read by `load`, and again by `reload`; what verifies
/// takes a snapshot.
///
/// Threads:  `keys` is thread-safe; `load` and `reload` run one at a time, and block.
class KeyRing {
 public:
  /// A snapshot. Its address changes when, and only when, a key does.
  using Snapshot = std::shared_ptr<const KeySet>;

  explicit KeyRing(std::vector<KeySource> sources, FetchLimits limits = FetchLimits());

  /// Reads all sources for the first time, BLOCKING (files, HTTP).
  /// Errors: the first source that can never work (an unreadable file, no usable key, a status 404), with its
  /// name and what is allowed. A URL that does not answer is logged only: `reload` may find it.
  Result<void> load();

  /// Reads the files again, and with `urls` those too, BLOCKING. A source that fails keeps its last good keys and is
  /// logged, once for each reason. Returns false where a URL failed.
  bool reload(bool urls);

  Snapshot keys() const;
  /// Whether every source has been read. Not while `load` or `reload` runs.
  bool is_complete() const noexcept;

  /// Whether there is a source whose keys may change.
  bool can_change() const noexcept;
  /// Makes a fetch under way end, and all later ones fail.
  void give_up() noexcept { gives_up_ = true; }

 private:
  struct Held {
    KeySource source;
    std::string text;       // of which `keys` were read
    std::vector<Key> keys;  // the last good ones
    std::string complaint;  // the last one logged
  };

  /// Reads one source; true where its keys have changed.
  Result<bool> read(Held& held) const;
  void publish();

  const FetchLimits limits_;
  std::atomic<bool> gives_up_{false};
  std::vector<Held> sources_;  // touched by `load` and `reload` only

  mutable std::mutex mutex_;  // guards what follows
  Snapshot keys_ = std::make_shared<const KeySet>();
};

}  // namespace rushes::auth
