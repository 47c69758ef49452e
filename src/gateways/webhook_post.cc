#include "gateways/webhook_post.h"

#include "webhooks/signature.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <mutex>

namespace rushes::gateways {
namespace {

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

constexpr std::size_t kMostAnswer = 64UL << 10U;
constexpr long kTooMany = 429;
constexpr long kUnavailable = 503;

extern "C" std::size_t skip_answer(char*, std::size_t size, std::size_t count, void* received) {
  auto& total = *static_cast<std::size_t*>(received);
  total += size * count;
  return total > kMostAnswer ? 0 : size * count;
}

extern "C" int stop_post(void* give_up, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(give_up)->load() ? 1 : 0;
}

void append(List& list, const std::string& text) {
  auto* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

/// `host:port:address,address`: whatever DNS says a moment later, these are connected to.
std::string pinned(const net::CheckedUrl& url, const std::vector<net::AddressFilter::Endpoint>& endpoints) {
  std::string entry = url.host + ":" + std::to_string(url.port) + ":";
  for (const auto& endpoint : endpoints) {
    if (entry.back() != ':') entry += ',';
    entry += endpoint.address().is_v6() ? "[" + endpoint.address().to_string() + "]" : endpoint.address().to_string();
  }
  return entry;
}

}  // namespace

PostResult post_delivery(const webhooks::DueDelivery& due, const net::AddressFilter& addresses, Timestamp now,
                         std::chrono::milliseconds timeout, const std::atomic<bool>& give_up) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  const auto url = addresses.check_url(due.url);
  if (!url) return {0, std::string(url.error().public_message()), {}};
  const auto endpoints = addresses.resolve_and_check(url->host, url->port);
  if (!endpoints) return {0, std::string(endpoints.error().public_message()), {}};
  std::string signatures;
  for (const auto& secret : due.secrets) {
    const auto signature = webhooks::signature_of(secret, due.delivery.id, now, due.delivery.body);
    if (!signature) return {0, signature.error().what(), {}};
    signatures += (signatures.empty() ? "" : " ") + *signature;
  }

  const Handle handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) return {0, "libcurl does not start", {}};
  List headers(nullptr, curl_slist_free_all);
  append(headers, "Content-Type: application/json");
  append(headers, "webhook-id: " + due.delivery.id.value());
  append(headers, "webhook-timestamp: " + std::to_string(to_millis(now) / 1000));
  append(headers, "webhook-signature: " + signatures);
  append(headers, "Expect:");
  List resolved(nullptr, curl_slist_free_all);
  append(resolved, pinned(*url, *endpoints));

  std::array<char, CURL_ERROR_SIZE> reason{};
  std::size_t received = 0;
  curl_easy_setopt(handle.get(), CURLOPT_URL, url->url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_RESOLVE, resolved.get());
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, "rushes");
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, due.delivery.body.data());
  curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(due.delivery.body.size()));
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, skip_answer);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, stop_post);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &give_up);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
  const auto code = curl_easy_perform(handle.get());
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, nullptr);
  PostResult result;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &result.status);
  if (result.status == kTooMany || result.status == kUnavailable) {
    curl_off_t seconds = 0;  // also of a date
    curl_easy_getinfo(handle.get(), CURLINFO_RETRY_AFTER, &seconds);
    result.retry_after = std::chrono::seconds(seconds);
  }
  // A long answer is cut off; that there is one is all that counts.
  if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
    result.status = 0;
    result.problem = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
  }
  return result;
}

}  // namespace rushes::gateways
