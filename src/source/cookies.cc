#include "source/cookies.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rushes::source {
namespace {

constexpr std::string_view kHttpOnly = "#HttpOnly_";

bool is_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
  });
}

std::string plain_host(std::string_view host) {
  if (host.starts_with('.')) host.remove_prefix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  return to_lower_ascii(host);
}

/// Whether `host` is one of `hosts`, or below one.
bool belongs_to(std::string_view host, std::span<const std::string> hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& named) {
    const auto parent = plain_host(named);
    if (!is_name(parent) || !host.ends_with(parent)) return false;
    return host.size() == parent.size() || host[host.size() - parent.size() - 1] == '.';
  });
}

bool is_flag(std::string_view field) { return field == "TRUE" || field == "FALSE"; }

/// Whether a line names its cookie in seven fields, for a domain of `hosts`.
bool is_for(std::string_view line, std::span<const std::string> hosts) {
  if (line.starts_with(kHttpOnly)) line.remove_prefix(kHttpOnly.size());
  std::array<std::string_view, 7> fields;  // domain, below it too, path, https only, expiry, name, value
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto tab = line.find('\t');
    const bool last = i + 1 == fields.size();
    if (last != (tab == std::string_view::npos)) return false;
    fields[i] = line.substr(0, tab);
    if (!last) line.remove_prefix(tab + 1);
  }
  const auto& [domain, below, path, https, expiry, name, value] = fields;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  const bool clean = std::none_of(fields.begin(), fields.end(), [&](std::string_view field) {
    return std::any_of(field.begin(), field.end(), control);
  });
  const bool number = std::all_of(expiry.begin(), expiry.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto host = plain_host(domain);
  return clean && is_flag(below) && path.starts_with('/') && is_flag(https) && number && is_name(host) &&
         belongs_to(host, hosts);
}

}  // namespace

std::string cookies_for(std::string_view jar, std::span<const std::string> hosts, std::string_view url_host) {
  if (!belongs_to(plain_host(url_host), hosts)) return {};
  std::string kept;
  while (!jar.empty()) {
    const auto end = jar.find_first_of("\r\n");  // Python ends a line at either
    const auto line = jar.substr(0, end);
    jar.remove_prefix(end == std::string_view::npos ? jar.size() : end + 1);
    if (is_for(line, hosts)) kept.append(line).append("\n");
  }
  if (kept.empty()) return kept;
  return "# Netscape HTTP Cookie File\n" + kept;
}

bool takes_cookies(std::string_view version) noexcept {
  // "2023.11.14", "2024.07.01.123456", "2023.11.14.dev0"
  constexpr std::array<int, 3> kFirst{2023, 11, 14};
  std::array<int, 3> parts{};
  for (auto& part : parts) {
    const auto [end, failed] = std::from_chars(version.data(), version.data() + version.size(), part);
    if (failed != std::errc() || part < 0) return false;
    version.remove_prefix(static_cast<std::size_t>(end - version.data()));
    if (&part == &parts.back()) break;
    if (!version.starts_with('.')) return false;
    version.remove_prefix(1);
  }
  return (version.empty() || version.starts_with('.')) && parts[1] <= 12 && parts[2] <= 31 && parts >= kFirst;
}

}  // namespace rushes::source
