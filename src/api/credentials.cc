#include "api/credentials.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace rushes::api {
namespace {

constexpr std::array<std::string_view, 4> kSubmits{"/analyze/video", "/analyze/upload", "/analyze/transcript",
                                                   "/analyze/bulk"};

bool is_reading(std::string_view method) { return method == "GET" || method == "HEAD"; }

Result<auth::Identity> permitted(const net::Request& request, Result<auth::Identity> identity) {
  if (!identity) return identity;
  if (auto allowed = auth::check_scope(*identity, scope_of(request.method, request.path)); !allowed) {
    return allowed.error();
  }
  return identity;
}

/// What the request brings along.
Result<auth::Identity> judge(const Context& context, const net::Request& request, std::string_view credential,
                             Result<auth::Identity> outcome) {
  context.credentials.witness(credential, outcome, request.remote_address, request.headers.get("user-agent"));
  return permitted(request, std::move(outcome));
}

/// How many segments follow `begin` in `path`; 0 where one is empty or made of dots.
std::size_t segments_behind(std::string_view path, std::size_t begin) {
  auto rest = path.substr(begin);
  for (std::size_t count = 1;; ++count) {
    const auto segment = rest.substr(0, rest.find('/'));
    if (segment.find_first_not_of('.') == std::string_view::npos) return 0;
    if (segment.size() == rest.size()) return count;
    rest.remove_prefix(segment.size() + 1);
  }
}

}  // namespace

std::optional<Result<auth::Identity>> identify_at_once(const Context& context, const net::Request& request) {
  const auto credential = request.headers.get("authorization");
  if (credential.empty() && is_reading(request.method)) {
    if (const auto ticket = request.query_param("ticket")) {
      return permitted(request, context.credentials.redeem(*ticket, request.path));
    }
  }
  auto identity = context.credentials.verify_by_known_keys(credential);
  if (!identity) return std::nullopt;
  return judge(context, request, credential, std::move(*identity));
}

Task<Result<auth::Identity>> identify(const Context& context, const net::Request& request) {
  std::string credential(request.headers.get("authorization"));
  auto identity = co_await context.credentials.authenticate(credential);
  co_return judge(context, request, credential, std::move(identity));
}

auth::Scope scope_of(std::string_view method, std::string_view path) noexcept {
  if (is_reading(method)) return auth::Scope::read;
  if (method != "POST" && !path.starts_with("/uploads")) return auth::Scope::manage;
  const bool submits = std::find(kSubmits.begin(), kSubmits.end(), path) != kSubmits.end();
  if (submits || path.starts_with("/analyze/job/") || path.starts_with("/uploads")) return auth::Scope::submit;
  // Who reads the inbox marks what was read.
  const bool marks = path.starts_with("/notifications/");
  return marks || path == "/auth/ticket" ? auth::Scope::read : auth::Scope::manage;
}

Result<TicketTarget> read_ticket_target(std::string_view text) {
  const auto refusal = Error::for_user(Errc::invalid_argument, "PATH_INVALID",
                                       "'" + shorten(text, 80) +
                                           "' takes no ticket; allowed: /analyze/job/{id}/events and "
                                           "/files/{key}/{name}.");
  text = text.substr(0, text.find_first_of("?#"));
  const auto path = net::percent_decode(text);
  if (!path) return refusal;
  constexpr std::string_view kJob = "/analyze/job/";
  constexpr std::string_view kFiles = "/files/";
  // From behind: what stands before is an origin, or a prefix that is taken away before a request comes here.
  if (const auto at = path->rfind(kJob); at != std::string::npos) {
    const bool events = path->ends_with("/events") && segments_behind(*path, at + kJob.size()) == 2;
    if (events) return TicketTarget{path->substr(at), auth::TicketKind::stream};
  } else if (const auto file = path->rfind(kFiles); file != std::string::npos) {
    if (segments_behind(*path, file + kFiles.size()) == 2) {
      return TicketTarget{path->substr(file), auth::TicketKind::file};
    }
  }
  return refusal;
}

}  // namespace rushes::api
