#pragma once
#include "api/context.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::api {

/// Who asks: by the header `Authorization` (a JWT or an API key), or for GET and HEAD, where there is none, by
/// `?ticket=`. Nothing where `identify` would wait for keys.
/// Errors: those of auth::Authenticator; `forbidden` (SCOPE_MISSING).
std::optional<Result<auth::Identity>> identify_at_once(const Context& context, const net::Request& request);
/// The same. `request` outlives the task.
Task<Result<auth::Identity>> identify(const Context& context, const net::Request& request);

/// The scope that a request needs, by method and path; of one that is not known: `read` to read, else `manage`.
auth::Scope scope_of(std::string_view method, std::string_view path) noexcept;

/// What a ticket may be for.
struct TicketTarget {
  std::string path;  // as `net::Request::path`
  auth::TicketKind kind = auth::TicketKind::file;
};

/// Reads what a user asks a ticket for: a path, or a URL of which the path is taken, with or without query and a prefix
/// that a proxy takes away. Errors: `invalid_argument` (PATH_INVALID).
Result<TicketTarget> read_ticket_target(std::string_view text);

}  // namespace rushes::api
