#include "auth/tickets.h"

#include "auth/jose_json.h"
#include "auth/signature.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"

#include <algorithm>

namespace rushes::auth {
namespace {

constexpr std::size_t kMaxBytes = 2048;

Error ticket_invalid(std::string why) {
  return Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The ticket is not valid: " + std::move(why) + ".");
}

/// The path is signed and does not stand in the ticket.
std::string sign(std::string_view secret, std::string_view content, std::string_view path) {
  std::string text("rushes ticket\n");
  text.append(content).append("\n").append(path);
  return base64url_encode(hmac(Algorithm::hs256, secret, text));
}

}  // namespace

Tickets::Tickets(std::string secret, const Clock& clock, Rng& rng)
    : secret_(std::move(secret)), clock_(clock), rng_(rng), started_at_(clock.now()) {}

Ticket Tickets::issue(const Identity& holder, TicketKind kind, std::string_view path) {
  const auto now = clock_.now();
  // What a ticket opened ends with the API key behind it. A JWT lives for minutes, a film is longer.
  const auto end =
      holder.key.value().empty() ? now + kFileLife : std::min<Timestamp>(now + kFileLife, holder.expires_at);
  const auto expires_at = kind == TicketKind::stream ? std::min<Timestamp>(now + kStreamLife, end) : end;
  json::object content{{"sub", holder.user.value()}, {"iat", to_millis(now)}, {"exp", to_millis(expires_at)},
                       {"end", to_millis(end)},      {"id", rng_.token(12)},  {"stream", kind == TicketKind::stream}};
  if (!holder.role.empty()) content["role"] = holder.role;
  if (!holder.key.value().empty()) content["key"] = holder.key.value();
  auto text = base64url_encode(to_json_text(content));
  text += "." + sign(secret_, text, path);
  return {std::move(text), expires_at};
}

Result<Identity> Tickets::redeem(std::string_view text, std::string_view path) {
  const auto dot = text.find('.');
  if (text.size() > kMaxBytes || dot == std::string_view::npos) return ticket_invalid("it has another form");
  const auto content = text.substr(0, dot);
  if (!equal_in_constant_time(sign(secret_, content, path), text.substr(dot + 1))) {
    return ticket_invalid("it was not made here, or not for this path");
  }
  const auto bytes = base64url_decode(content);
  const auto members = bytes ? parse_unique(*bytes) : Result<json::object>(bytes.error());
  if (!members) return ticket_invalid("it has another form");
  const auto time = [&](std::string_view name) { return from_millis(int_member(*members, name).value_or(0)); };
  const auto expires_at = time("exp");
  if (clock_.now() >= expires_at) {
    return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED",
                           "The ticket expired at " + to_rfc3339(expires_at) + "; get another one.");
  }
  Identity identity{UserId(string_member(*members, "sub").value_or("")), string_member(*members, "role").value_or(""),
                    time("end"), time("iat")};
  identity.scopes = Scopes(Scope::read);
  identity.key = KeyId(string_member(*members, "key").value_or(""));
  const auto* stream = members->if_contains("stream");
  if (stream != nullptr && stream->is_bool() && stream->get_bool()) {
    if (*identity.issued_at < started_at_) return ticket_invalid("the server was started after it was made");
    auto used = use_up({expires_at, string_member(*members, "id").value_or(""), identity.user});
    if (!used) return used.error();
  }
  return identity;
}

Result<void> Tickets::use_up(Used ticket) {
  const auto now = clock_.now();
  const std::lock_guard lock(mutex_);
  while (!in_order_.empty() && in_order_.front().until <= now) {
    const auto& expired = in_order_.front();
    used_.erase(expired.id);
    if (const auto count = used_of_.find(expired.user); --count->second == 0) used_of_.erase(count);
    in_order_.pop_front();
  }
  if (used_.contains(ticket.id)) return ticket_invalid("it opens one stream, and has done so");
  auto& count = used_of_[ticket.user];
  if (count >= kStreamsAMinute) {
    return Error::for_user(Errc::exhausted, "TICKETS_LIMIT",
                           "You have opened " + std::to_string(kStreamsAMinute) +
                               " streams by tickets within a minute, the most allowed; come again in a minute.");
  }
  ++count;
  used_.insert(ticket.id);
  in_order_.push_back(std::move(ticket));
  return {};
}

}  // namespace rushes::auth
