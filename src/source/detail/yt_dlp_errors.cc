#include "source/detail/yt_dlp_errors.h"

#include "base/text.h"

#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

namespace rushes::source::detail {
namespace {

/// True where one of `words` (lower case) is in `text`.
bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return text.find(word) != std::string_view::npos; });
}

/// The three digits after "http error ", or 0.
int http_status(std::string_view text) {
  constexpr std::string_view kMark = "http error ";
  const auto at = text.find(kMark);
  if (at == std::string_view::npos || at + kMark.size() + 3 > text.size()) return 0;
  int status = 0;
  for (const char c : text.substr(at + kMark.size(), 3)) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status;
}

Error dead(std::string_view url, std::string_view why) {
  return Error::for_user(Errc::not_found, "URL_DEAD", fmt::format("{} {}; check the URL.", shorten(url, 200), why));
}

Error unavailable(std::string_view why) {
  return Error::for_user(Errc::forbidden, "VIDEO_UNAVAILABLE",
                         fmt::format("The video cannot be watched without more rights: {}.", why));
}

Error busy(std::string_view why) {
  return Error::for_user(Errc::unavailable, "SOURCE_UNAVAILABLE",
                         fmt::format("The site did not deliver the video: {}; try again later.", why));
}

Error out_of_memory() {
  return Error::for_user(Errc::too_large, "JOB_OUT_OF_MEMORY",
                         "The page needs more memory than the server allows for a job; it is refused.");
}

}  // namespace

std::optional<Error> explain_signal(const ChildResult& child) {
  if (child.signal != SIGXCPU && child.signal != SIGKILL) return std::nullopt;
  // The hard limit kills as the kernel does when memory runs out; the time used tells one from the other.
  rlimit limit{};
  ::getrlimit(RLIMIT_CPU, &limit);
  const bool time_used_up =
      limit.rlim_cur != RLIM_INFINITY && static_cast<rlim_t>(child.processor_time.count()) + 1 >= limit.rlim_cur;
  if (child.signal == SIGKILL && !time_used_up) return out_of_memory();
  return Error::for_user(Errc::too_large, "JOB_OUT_OF_TIME",
                         "The page needs more processor time than the server allows for a job; it is refused.");
}

std::string reason_of(std::string_view errors) {
  constexpr std::string_view kMark = "ERROR: ";
  if (const auto at = errors.rfind(kMark); at != std::string_view::npos) {
    errors.remove_prefix(at + kMark.size());
  } else {
    errors = trim(errors);
    errors = errors.substr(errors.rfind('\n') + 1);  // npos + 1 is 0
  }
  for (const std::string_view advice : {"; please report this issue", " (caused by ", "; Confirm you are on the latest",
                                        " Use --cookies", " Also see ", ". See  http"}) {
    errors = errors.substr(0, errors.find(advice));
  }
  // "[youtube] dQw4w9WgXcQ: Private video"
  if (errors.starts_with('[')) {
    const auto colon = errors.find(": ");
    if (colon != std::string_view::npos && errors.find(' ') < colon) errors.remove_prefix(colon + 2);
  }
  std::string line;
  for (const char c : trim(errors)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (line.ends_with('.')) line.pop_back();
  return is_utf8(line) ? shorten(line, 300) : std::string("it gave no readable reason");
}

Error explain_failure(std::string_view errors, const std::optional<box::Incident>& incident, const std::string& url) {
  using box::Trouble;
  if (incident && incident->trouble >= Trouble::too_late) return incident->error;
  if (has_any(to_lower_ascii(errors), {"memoryerror", "unable to allocate", "cannot allocate memory"})) {
    return out_of_memory();
  }
  // What may be written is limited, too (RLIMIT_FSIZE).
  if (has_any(to_lower_ascii(errors), {"[errno 27] file too large"})) {
    return Error::for_user(Errc::too_large, "VIDEO_TOO_LARGE",
                           "The download is larger than this server allows; choose a shorter video.");
  }

  const auto reason = reason_of(errors);
  const auto text = to_lower_ascii(reason);
  // What the site said in words comes first: it did answer.
  if (has_any(text, {"not a bot", "captcha", "unusual traffic"})) {
    return Error::for_user(
        Errc::unavailable, "BOT_CHECK",
        "The site takes this server for a robot; the operator can set a cookies file or install a newer "
        "yt-dlp.");
  }
  if (has_any(text, {"live event will begin", "premieres in", "livestream", "live stream"})) {
    return Error::for_user(Errc::unsupported, "LIVE_NOT_SUPPORTED",
                           "This is a live stream; come back when it has ended and its recording is there.");
  }
  if (has_any(text, {"private video",
                     "video is private",
                     "video unavailable",
                     "video is unavailable",
                     "video is not available",
                     "been removed",
                     "was deleted",
                     "been deleted",
                     "account has been terminated",
                     "confirm your age",
                     "age-restricted",
                     "members-only",
                     "available in your country",
                     "geo restrict",
                     "geo-restrict",
                     "from your location",
                     "sign in",
                     "log in",
                     "login",
                     "registered users",
                     "drm",
                     "subscri",
                     "purchase",
                     "password"})) {
    return unavailable(reason);
  }
  if (incident) {
    if (incident->trouble >= Trouble::packed_answer) return incident->error;
    return Error::for_user(Errc::not_found, "URL_DEAD", incident->error.what());
  }
  const auto status = http_status(text);
  if (status == 404 || status == 410) return dead(url, fmt::format("does not exist (HTTP {})", status));
  if (status == 401 || status == 402 || status == 403 || status == 451) {
    return unavailable(fmt::format("the site refuses access (HTTP {})", status));
  }
  if (status == 408 || status == 425 || status == 429 || status >= 500) return busy(fmt::format("HTTP {}", status));
  if (status >= 300 && status < 400) return dead(url, "only leads from one address to the next");
  if (status >= 400) return dead(url, fmt::format("is refused by its site (HTTP {})", status));
  if (has_any(text, {"timed out", "timeout", "connection reset", "remote end closed", "incomplete", "bytes read", "ssl",
                     "eof occurred", "connection aborted", "bad gateway", "temporary failure",
                     "did not get any data blocks"})) {
    return busy(reason);
  }
  if (has_any(text, {"unsupported url", "not a valid url", "no video", "requested format is not available", "no media",
                     "unsupported features", "no suitable", "unable to extract"})) {
    return Error::for_user(
        Errc::unsupported, "URL_UNSUPPORTED",
        fmt::format("No video could be found at {}; name the page or file of one video.", shorten(url, 200)));
  }
  return Error::for_user(
      Errc::unsupported, "FETCH_FAILED",
      fmt::format("The video could not be fetched: {}.", reason.empty() ? "no reason was given" : reason));
}

}  // namespace rushes::source::detail
