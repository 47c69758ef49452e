#pragma once
#include "auth/jwks_fetch.h"
#include "auth/key_archive.h"
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
  std::string value;     // the secret, the path, the URL
  std::string name;      // what the operator calls it: the setting's name
  std::string issuer{};  // the `iss` that its keys sign for; empty: any that is accepted
};

/// The keys of all sources, as they last were good. They are read by `load`, and again by `reload`; what verifies
/// takes a snapshot.
///
/// Threads:  `keys` is thread-safe; `load` and `reload` run one at a time, and block.
class KeyRing {
 public:
  /// A snapshot. Its address changes when, and only when, a key does.
  using Snapshot = std::shared_ptr<const KeySet>;

  /// With an `archive`, which outlives it, what URLs answer is kept there for `load`.
  explicit KeyRing(std::vector<KeySource> sources, FetchLimits limits = FetchLimits(),
                   const KeyArchive* archive = nullptr);

  /// Reads all sources for the first time, BLOCKING (files, HTTP).
  /// A URL without a good answer is logged only where the archive has its keys, or where it does not answer: `reload`
  /// may find it. Errors: the first other source that cannot work (an unreadable file, no usable key, a status 404),
  /// with its name and what is allowed.
  Result<void> load();

  /// Reads the files again, and with `urls` those too, BLOCKING. A source that fails keeps its last good keys and is
  /// logged, once for each reason. Returns false where a URL failed.
  bool reload(bool urls);

  Snapshot keys() const;
  /// Whether every source has been read. Thread-safe.
  bool is_complete() const noexcept { return complete_; }

  /// Whether the last `load` or `reload` read every source, rather than keep or recall older keys. Not while one runs.
  bool is_fresh() const noexcept;

  /// Whether there is a source whose keys may change.
  bool can_change() const noexcept;
  /// Whether one of them is a URL.
  bool has_url() const noexcept;
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
  /// Makes `text` the source's keys.
  Result<void> adopt(Held& held, std::string text) const;
  /// Takes a URL's keys out of the archive; false where they are not there.
  bool recall(Held& held, const std::string& why) const;
  void publish();

  const FetchLimits limits_;
  const KeyArchive* const archive_;
  std::atomic<bool> complete_{false};
  std::atomic<bool> gives_up_{false};
  std::vector<Held> sources_;  // touched by `load` and `reload` only

  mutable std::mutex mutex_;  // guards what follows
  Snapshot keys_ = std::make_shared<const KeySet>();
};

}  // namespace rushes::auth
