#include "net/http.h"

#include "base/text.h"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace rushes::net {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [known, value] : fields_) {
    if (equals_ignore_case(known, name)) return value;
  }
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(fields_, [&](const auto& field) { return equals_ignore_case(field.first, name); });
  add(std::string(name), std::string(value));
}

std::optional<std::string> Request::query_param(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    const auto equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals), true) == name) {
      return percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

Response json_response(int status, const json::value& value) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  response.body = json::serialize(value);
  return response;
}

Response problem(const Error& error) {
  const int status = error.http_status();
  const json::object body{{"type", "about:blank"},
                          {"title", reason_phrase(status)},
                          {"status", status},
                          {"detail", error.public_message()},
                          {"code", error.public_name()},
                          {"message", error.public_message()}};
  auto response = json_response(status, body);
  response.headers.set("Content-Type", "application/problem+json; charset=utf-8");
  if (error.code() == Errc::unauthenticated) response.headers.add("WWW-Authenticate", "Bearer");
  if (error.retryable()) response.headers.add("Retry-After", "5");
  if (status >= 500) log::warning("http", "answered {}: {}", status, error.what());
  return response;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string_view reason_phrase(int status) noexcept {
  return boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
}

}  // namespace rushes::net
