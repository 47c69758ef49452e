#pragma once
#include "base/result.h"

#include <atomic>
#include <chrono>
#include <string>

namespace rushes::auth {

struct FetchLimits {
  std::size_t max_bytes = 256UL << 10U;
  std::chrono::milliseconds timeout{10'000};  // for all of it, redirects included
};

/// Whether `text` names what is to be fetched rather than a file: it has `://` in it.
bool is_url(const std::string& text) noexcept;

/// What is wrong with `url` as the place of a JWKS, in one clause; empty: nothing. http and https, a host, no
/// user name.
std::string check_jwks_url(const std::string& url);

/// Whether what `url` says travels in clear over a network, where it can be changed on its way.
bool is_in_clear(const std::string& url);

/// Gets `url`, BLOCKING. A redirect is followed within its scheme, host and port only. Ends within a second
/// once `give_up` is set.
/// Errors: `unavailable` and `timed_out` where the answer may be better later (no answer, 429, 5xx);
/// `too_large`, `invalid_argument` where it will not.
Result<std::string> fetch_jwks(const std::string& url, const FetchLimits& limits, const std::atomic<bool>& give_up);

}  // namespace rushes::auth
