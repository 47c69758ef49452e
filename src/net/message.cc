#include "net/message.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

#include <boost/beast/http/status.hpp>

#include <sys/stat.h>

#include <charconv>
#include <ctime>

namespace rushes::net {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string http_date(std::time_t time) {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[40];
  const auto size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// One range of `bytes=…` against a file's size. Nothing: not a single range that we read, serve all.
/// Error: it lies outside of the file.
std::optional<Result<ByteRange>> parse_range(std::string_view text, std::uint64_t size) {
  if (!text.starts_with("bytes=") || text.find(',') != std::string_view::npos) return std::nullopt;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const Error outside(Errc::invalid_argument, "the range lies outside of the file");
  if (dash == 0) {
    const auto suffix = number(text.substr(1));
    if (!suffix) return std::nullopt;
    if (*suffix == 0 || size == 0) return outside;
    return ByteRange{size - std::min(*suffix, size), size - 1};
  }
  const auto first = number(text.substr(0, dash));
  const auto last = dash + 1 == text.size() ? std::optional(UINT64_MAX) : number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  if (*first >= size) return outside;
  return ByteRange{*first, std::min(*last, size - 1)};
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error(Errc::malformed, "bad percent escape");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (c == '\0') return Error(Errc::malformed, "zero byte in a URL");
    decoded.push_back(c);
  }
  return decoded;
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    const auto key = percent_decode(pair.substr(0, equals), true);
    if (!key || *key != name) continue;
    const auto value = percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!value) return std::nullopt;
    return *value;
  }
  return std::nullopt;
}

bool Request::take_body() { return stream == nullptr || stream->take_all(body); }

Task<Result<void>> Request::read_body() {
  if (take_body()) co_return Result<void>();
  co_return co_await stream->read_all(body);
}

void Request::when_gone(std::function<void()> gone) {
  if (watch_peer) watch_peer(std::move(gone));
}

namespace {
constexpr std::string_view kRetryAfter = "5";  // seconds

json::object problem_members(int status, std::string_view code, std::string_view why) {
  const auto title = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {{"type", "about:blank"}, {"title", std::string_view(title.data(), title.size())},
          {"status", status},      {"detail", why},
          {"code", code},          {"message", why}};
}

Response problem_response(int status, const json::object& body) {
  Response response(status, "application/problem+json", to_json_text(body));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

/// One line a second and event loop: a crowd that is refused must not fill the log.
void note_failure(int status, const Error& error) {
  using Clock = std::chrono::steady_clock;
  thread_local Clock::time_point noted_at;
  thread_local std::uint64_t skipped = 0;
  if (Clock::now() - noted_at < std::chrono::seconds(1)) {
    ++skipped;
    return;
  }
  noted_at = Clock::now();
  if (const auto before = std::exchange(skipped, 0); before > 0) {
    log::warning("http", "answered {} more requests with 5xx", before);
  }
  log::warning("http", "answering {}: {}", status, error.what());
}

}  // namespace

Response problem(int status, std::string_view code, std::string_view why) {
  return problem_response(status, problem_members(status, code, why));
}

Response problem(const Error& error, const json::object& more) {
  const auto status = error.http_status();
  auto body = problem_members(status, error.public_name(), error.public_message());
  for (const auto& [name, value] : more) body[name] = value;
  auto response = problem_response(status, body);
  if (error.code() == Errc::unauthenticated) response.headers.add("WWW-Authenticate", "Bearer");  // RFC 9110, 11.6.1
  if (error.retryable()) response.headers.add("Retry-After", kRetryAfter);
  // What the client is told in words of its own was logged where it arose, and strangers can ask for it at will.
  if (status >= 500 && error.what() != error.public_message()) note_failure(status, error);
  return response;
}

Response json_response(int status, const json::value& value) { return json_text_response(status, to_json_text(value)); }

Response json_text_response(int status, std::string text) {
  Response response(status, "application/json", std::move(text));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  return response;
}

Response file_response(const Request& request, FileBody body, std::string_view content_type) {
  struct ::stat info {};
  const int looked = body.opened ? ::fstat(body.opened->get(), &info) : ::stat(body.path.c_str(), &info);
  if (looked != 0 || !S_ISREG(info.st_mode)) {
    return problem(Error(Errc::not_found, "no file " + body.path.string()));
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::string tag = "\"" + std::to_string(info.st_mtim.tv_sec) + "-" + std::to_string(info.st_mtim.tv_nsec) +
                          "-" + std::to_string(size) + "\"";
  Response response(200);
  response.headers.add("Content-Type", content_type);
  response.headers.add("ETag", tag);
  response.headers.add("Last-Modified", http_date(info.st_mtim.tv_sec));
  response.headers.add("Accept-Ranges", "bytes");
  const auto known = request.headers.get("If-None-Match");
  if (known == "*" || known.find(tag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  body.length = size;
  const auto if_range = request.headers.find("If-Range");
  if (const auto wanted = request.headers.find("Range"); wanted && (!if_range || *if_range == tag)) {
    if (const auto range = parse_range(*wanted, size)) {
      if (!*range) {
        response.status = 416;
        response.headers.add("Content-Range", "bytes */" + std::to_string(size));
        return response;
      }
      body.offset = (*range)->first;
      body.length = (*range)->last - (*range)->first + 1;
      response.status = 206;
      response.headers.add("Content-Range", "bytes " + std::to_string((*range)->first) + "-" +
                                                std::to_string((*range)->last) + "/" + std::to_string(size));
    }
  }
  response.file = std::move(body);
  return response;
}

}  // namespace rushes::net
