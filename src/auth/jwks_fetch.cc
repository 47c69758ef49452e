#include "auth/jwks_fetch.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>
#include <optional>

namespace rushes::auth {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

constexpr int kMostRedirects = 3;

struct Download {
  std::string body;
  std::size_t max_bytes = 0;
  bool too_large = false;
};

extern "C" std::size_t take_jwks_bytes(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& download = *static_cast<Download*>(to);
  download.too_large = download.body.size() + size * count > download.max_bytes;
  if (download.too_large) return 0;
  download.body.append(bytes, size * count);
  return size * count;
}

extern "C" int stop_jwks_fetch(void* give_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(give_up)->load() ? 1 : 0;
}

bool is_this_machine(const boost::urls::url_view& url) {
  if (url.host_type() == boost::urls::host_type::ipv4) return url.host_ipv4_address().is_loopback();
  return url.host_address() == "localhost" || url.host_address() == "::1";
}

std::string origin_of(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  return parsed ? std::string(parsed->encoded_origin()) : std::string();
}

struct Answer {
  long status = 0;
  std::string redirect;  // absolute
};

// One request without redirects. What it sends is the same for each: no cookies, no credentials.
Result<Answer> get_once(const Handle& handle, const std::string& url, std::chrono::milliseconds left,
                        Download& download, const std::atomic<bool>& give_up) {
  std::array<char, CURL_ERROR_SIZE> reason{};
  download.body.clear();
  curl_easy_reset(handle.get());
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 0L);
  const auto parsed = boost::urls::parse_uri(url);
  if (parsed && is_this_machine(*parsed)) curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "rushes");
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, take_jwks_bytes);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &download);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, stop_jwks_fetch);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &give_up);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
  const auto code = curl_easy_perform(handle.get());
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, nullptr);
  if (download.too_large) {
    return Error(Errc::too_large, "answered more than " + std::to_string(download.max_bytes) + " bytes");
  }
  if (code != CURLE_OK) {
    const auto* why = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
    return Error(code == CURLE_OPERATION_TIMEDOUT ? Errc::timed_out : Errc::unavailable,
                 "cannot be fetched: " + std::string(why));
  }
  Answer answer;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  const char* redirect = nullptr;
  curl_easy_getinfo(handle.get(), CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) answer.redirect = redirect;
  return answer;
}

}  // namespace

bool is_url(const std::string& text) noexcept { return text.find("://") != std::string::npos; }

std::string check_jwks_url(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed) return "cannot be read as a URL";
  if (parsed->scheme() != "http" && parsed->scheme() != "https") return "begins neither with http:// nor with https://";
  if (parsed->host().empty()) return "names no host";
  if (parsed->has_userinfo()) return "holds a user name";
  return {};
}

bool is_in_clear(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  return parsed && parsed->scheme() == "http" && !is_this_machine(*parsed);
}

Result<std::string> fetch_jwks(const std::string& url, const FetchLimits& limits, const std::atomic<bool>& give_up) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const Handle handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) return Error(Errc::unavailable, "cannot be fetched: libcurl does not start");

  const auto until = std::chrono::steady_clock::now() + limits.timeout;
  Download download;
  download.max_bytes = limits.max_bytes;
  std::string at = url;
  for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Error(Errc::timed_out, "cannot be fetched: it takes too long");
    const auto answer = get_once(handle, at, left, download, give_up);
    if (!answer) return answer.error();
    if (answer->status == 200) return std::move(download.body);
    if (answer->redirect.empty()) {
      const bool passing = answer->status == 429 || answer->status >= 500;
      return Error(passing ? Errc::unavailable : Errc::invalid_argument,
                   "answers with status " + std::to_string(answer->status));
    }
    if (origin_of(answer->redirect) != origin_of(url)) {
      return Error(Errc::invalid_argument, "redirects to another place: " + answer->redirect);
    }
    at = answer->redirect;
  }
  return Error(Errc::invalid_argument, "redirects more than " + std::to_string(kMostRedirects) + " times");
}

}  // namespace rushes::auth
