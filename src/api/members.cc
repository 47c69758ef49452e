#include "api/members.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace rushes::api {
namespace {

constexpr std::size_t kMostNamed = 16;
constexpr std::size_t kShownName = 40;
constexpr std::string_view kAnywhere = "ticket";  // stands for a token; the check of it reads it

std::string listed(const Names& names) {
  std::string all;
  for (const auto name : names) all += (all.empty() ? "" : ", ") + std::string(name);
  return all.empty() ? "none" : all;
}

/// Takes the next of `text`, which `separator` divides outside of quotes.
std::string_view next_part(std::string_view& text, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < text.size() && (quoted || text[end] != separator); ++end) {
    if (text[end] == '\\' && quoted && end + 1 < text.size()) {
      ++end;
    } else if (text[end] == '"') {
      quoted = !quoted;
    }
  }
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + 1));
  return trim(part);
}

/// The value of `handling` in one field; empty where it has none.
std::string_view handling_of(std::string_view field) {
  while (!field.empty()) {
    auto preference = next_part(field, ',');
    const auto stated = next_part(preference, ';');
    const auto equals = stated.find('=');
    if (equals == std::string_view::npos || !equals_ignore_case(trim(stated.substr(0, equals)), "handling")) continue;
    auto value = trim(stated.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

}  // namespace

void note_unknown(Unknown& unknown, std::string_view path, std::string_view name, const Names& known) {
  if (unknown.size() >= kMostNamed) return;
  unknown.push_back(std::string(path) + shorten(name, kShownName) + " is unknown; allowed: " + listed(known) + ".");
}

Members::Members(const json::object& object, std::string_view code, std::string path, const Names& known,
                 Unknown& unknown)
    : object_(object), code_(code), path_(std::move(path)) {
  for (const auto& member : object) {
    const std::string_view name(member.key());
    if (std::find(known.begin(), known.end(), name) == known.end()) note_unknown(unknown, path_, name, known);
  }
}

const json::value* Members::find(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::string>> Members::text(std::string_view name, std::size_t most_bytes) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return wrong(name, "is not a text");
  const auto& text = value->get_string();
  if (text.size() > most_bytes) {
    return Error::for_user(
        Errc::invalid_argument, std::string(code_),
        fmt::format("{}{} has {} bytes; at most {} are taken.", path_, name, text.size(), most_bytes));
  }
  return std::optional<std::string>(text);
}

Result<std::optional<bool>> Members::flag(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_bool()) return wrong(name, "is not allowed; write true or false");
  return std::optional(value->get_bool());
}

Result<std::optional<std::int64_t>> Members::number(std::string_view name, std::int64_t least,
                                                    std::int64_t most) const {
  const auto* value = find(name);
  if (value == nullptr) return std::optional<std::int64_t>();
  const auto whole = int_member(object_, name);
  if (!whole || *whole < least || *whole > most) {
    return wrong(name, fmt::format("is not a whole number from {} to {}", least, most));
  }
  return whole;
}

Result<const json::object*> Members::object(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) return wrong(name, "is not an object");
  return &value->get_object();
}

Error Members::wrong(std::string_view name, std::string_view why) const {
  const auto* value = object_.if_contains(name);
  return Error::for_user(Errc::invalid_argument, std::string(code_),
                         fmt::format("{}{} {} {}.", path_, name, value == nullptr ? "(absent)" : shown(*value), why));
}

std::string shown(const json::value& value) { return shorten(to_json_text(value), 60); }

bool is_strict(const net::Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (!equals_ignore_case(name, "prefer")) continue;
    if (const auto handling = handling_of(value); !handling.empty()) return handling == "strict";
  }
  return false;
}

Result<void> allow_unknown(net::Request& request, Unknown unknown) {
  if (unknown.empty()) return {};
  if (is_strict(request)) return Error::for_user(Errc::invalid_argument, "UNKNOWN_MEMBER", unknown.front());
  for (auto& sentence : unknown) {
    log::debug("api", "{} {}: ignored: {}", request.method, shorten(request.target, 200), sentence);
    request.ignored.push_back(std::move(sentence));
  }
  return {};
}

Result<void> check_query(net::Request& request, const Names& known) {
  Unknown unknown;
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto written = pair.substr(0, pair.find('='));
    const auto decoded = net::percent_decode(written, true);
    const std::string name = decoded && is_utf8(*decoded) ? *decoded : std::string(written);
    if (name == kAnywhere || std::find(known.begin(), known.end(), name) != known.end()) continue;
    note_unknown(unknown, "The query parameter ", name, known);
  }
  return allow_unknown(request, std::move(unknown));
}

void name_ignored(const net::Request& request, net::Response& response) {
  if (is_strict(request)) response.headers.set("Preference-Applied", "handling=strict");
  if (request.ignored.empty() || !response.body.starts_with('{') || !response.body.ends_with('}')) return;
  json::array warnings;
  for (const auto& sentence : request.ignored) {
    warnings.push_back(json::object{{"code", "UNKNOWN_MEMBER"}, {"message", sentence}});
  }
  response.body.pop_back();
  response.body += (response.body.size() == 1 ? R"("warnings":)" : R"(,"warnings":)") + to_json_text(warnings) + "}";
}

}  // namespace rushes::api
