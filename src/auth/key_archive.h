#pragma once
#include "base/clock.h"
#include "base/result.h"

#include <filesystem>
#include <optional>
#include <string>

namespace rushes::auth {

/// The last good key set of each URL, on disk: what a server that starts while a URL cannot be had verifies with.
///
/// One file for each URL, mode 0600, replaced atomically. Who can write there can sign in as anyone, as with the
/// server's own secret beside it.
/// Threads:  thread-safe; blocks.
/// Lifetime: the clock outlives it.
class KeyArchive {
 public:
  static constexpr std::chrono::hours kLongest{7 * 24};  // older sets are not used

  KeyArchive(std::filesystem::path folder, const Clock& clock);

  struct Kept {
    std::string jwks;
    Timestamp fetched_at;
  };

  /// Keeps what `url` answered a moment ago, and makes the folder. A failure is logged only.
  void keep(const std::string& url, const std::string& jwks) const;

  /// What `url` last answered. Nothing where it is not kept, older than kLongest, of the future, or unreadable.
  std::optional<Kept> find(const std::string& url) const;

  std::filesystem::path file_of(const std::string& url) const;

 private:
  const std::filesystem::path folder_;
  const Clock& clock_;
};

}  // namespace rushes::auth
