#include "auth/scopes.h"

#include "base/text.h"

#include <array>

namespace rushes::auth {
namespace {

constexpr std::array kScopes{Scope::read, Scope::submit, Scope::manage};

}  // namespace

std::string_view to_string(Scope scope) noexcept {
  constexpr std::array<std::string_view, kScopes.size()> kNames{"read", "submit", "manage"};
  return kNames[static_cast<std::size_t>(scope)];
}

std::vector<std::string_view> Scopes::names() const {
  std::vector<std::string_view> names;
  for (const auto scope : kScopes) {
    if (contains(scope)) names.push_back(to_string(scope));
  }
  return names;
}

std::string Scopes::text() const {
  std::string text;
  for (const auto name : names()) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

Result<Scope> parse_scope(std::string_view name) {
  for (const auto scope : kScopes) {
    if (to_string(scope) == name) return scope;
  }
  return Error::for_user(Errc::invalid_argument, "SCOPES_INVALID",
                         "'" + shorten(name, 40) + "' is no scope; allowed: " + Scopes::all().text() + ".");
}

}  // namespace rushes::auth
