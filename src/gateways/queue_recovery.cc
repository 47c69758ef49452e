#include "gateways/queue_recovery.h"

#include "auth/signature.h"
#include "base/text.h"
#include "gateways/token_guard.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <unordered_set>

namespace rushes::gateways {
namespace {

constexpr std::size_t kIdBytes = 15;  // of a socket's id
constexpr std::size_t kStartBytes = sizeof(std::int64_t);
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kEpochBytes = 6;  // in base64url: 8 characters

// A client that missed more than this gets only the newest progress of each job, ...
constexpr std::size_t kAllProgress = 200;
// ... and one that missed more than this a new session: to read the state costs less.
constexpr int kMostEvents = 10'000;
constexpr std::size_t kMostBytes = 512UL << 10U;

std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

struct QueueRecovery::Session {
  std::string socket_id;
  std::int64_t start = 0;  // the log's last event when it began
};

struct QueueRecovery::Place {
  std::int64_t seq = 0;
  std::int64_t id = 0;
  std::int64_t anchor = 0;  // of the user's last event that is filed: the event itself, but for progress
};

std::vector<jobs::Event> without_overtaken(std::vector<jobs::Event> events) {
  std::unordered_set<std::string> overtaken;
  std::vector<jobs::Event> kept;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const bool newest = overtaken.insert(event->job.value()).second;
    if (newest || event->type != jobs::EventType::progress) kept.push_back(std::move(*event));
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

Task<Result<void>> QueueRecovery::start() {
  const auto state = co_await log_.state();
  if (!state) co_return state.error();
  key_ = auth::hmac(auth::Algorithm::hs256, state->identity, "recovery");
  epoch_ = base64url_encode(auth::hmac(auth::Algorithm::hs256, state->identity, "epoch").substr(0, kEpochBytes));
  std::replace(epoch_.begin(), epoch_.end(), '-', '.');
  told(state->last_id);
  co_return Result<void>();
}

std::string QueueRecovery::offset_of(const jobs::Event& event) const {
  auto offset = epoch_ + "-" + std::to_string(event.seq) + "-" + std::to_string(event.id);
  if (event.anchor != 0) offset += "-" + std::to_string(event.anchor);
  return offset;
}

std::optional<QueueRecovery::Place> QueueRecovery::read_offset(std::string_view offset) const {
  if (!offset.starts_with(epoch_)) return std::nullopt;
  offset.remove_prefix(epoch_.size());
  Place place;
  for (auto* number : {&place.seq, &place.id}) {
    if (!offset.starts_with('-')) return std::nullopt;
    offset.remove_prefix(1);
    const auto read = take_number(offset);
    if (!read) return std::nullopt;
    *number = *read;
  }
  place.anchor = place.id;
  if (offset.empty()) return place;
  if (!offset.starts_with('-')) return std::nullopt;
  offset.remove_prefix(1);
  const auto anchor = take_number(offset);
  if (!anchor || !offset.empty()) return std::nullopt;
  place.anchor = *anchor;
  return place;
}

std::string QueueRecovery::mac_of(std::string_view body, const socketio::Socket& socket) const {
  // The lengths of all but the last part are fixed: no two clients share a text.
  std::string text(body);
  text.append(socket.nsp().name()).append("|").append(identity_of(socket).user.value());
  return auth::hmac(auth::Algorithm::hs256, key_, text).substr(0, kMacBytes);
}

std::string QueueRecovery::issue(const socketio::Socket& socket) {
  std::string body = base64url_decode(socket.id()).value();
  const auto start = told_.load(std::memory_order_acquire);
  body.append(reinterpret_cast<const char*>(&start), sizeof start);
  return base64url_encode(body + mac_of(body, socket));
}

std::optional<QueueRecovery::Session> QueueRecovery::read_pid(const socketio::Socket& socket,
                                                              std::string_view pid) const {
  const auto bytes = base64url_decode(pid);
  if (!bytes || bytes->size() != kIdBytes + kStartBytes + kMacBytes) return std::nullopt;
  const auto body = std::string_view(*bytes).substr(0, kIdBytes + kStartBytes);
  const auto mac = std::string_view(*bytes).substr(body.size());
  if (!auth::equal_in_constant_time(mac, mac_of(body, socket))) return std::nullopt;
  Session session;
  session.socket_id = base64url_encode(body.substr(0, kIdBytes));
  std::memcpy(&session.start, body.data() + kIdBytes, kStartBytes);
  return session;
}

Task<std::optional<socketio::Resumed>> QueueRecovery::resume(socketio::SocketPtr socket, std::string pid,
                                                             std::string offset) {
  auto session = read_pid(*socket, pid);
  if (!session) co_return std::nullopt;
  auto place = read_offset(offset);
  // An offset from before the session is what the client remembers of another one, maybe another user's.
  if (place && place->id <= session->start) place.reset();
  auto question = behind(identity_of(*socket).user, session->start, place);
  auto missed = co_await std::move(question);
  if (!missed) co_return std::nullopt;
  socketio::Resumed resumed{std::move(session->socket_id), std::move(*missed)};
  co_return resumed;
}

Task<bool> QueueRecovery::is_whole_behind(UserId user, Place place) {
  auto asked = log_.has(user, place.anchor);
  const auto known = co_await std::move(asked);
  if (known && *known) co_return true;
  // It may be a change of position, which goes before its time. Then there is a newer event, since the newest never
  // goes; and what is older shows that nothing but such is gone.
  auto question = log_.of_user_after(user, place.seq, 1);
  const auto newer = co_await std::move(question);
  if (!newer || newer->empty() || newer->front().id <= place.id) co_return false;
  auto search = log_.seq_at(std::move(user), place.anchor);
  const auto older = co_await std::move(search);
  const bool whole = older && *older > 0 && *older < place.seq;
  co_return whole;
}

Task<std::optional<socketio::LoggedEvents>> QueueRecovery::behind(UserId user, std::int64_t start,
                                                                  std::optional<Place> place) {
  std::int64_t had = 0;
  if (place) {
    had = place->seq;
    auto asked = is_whole_behind(user, *place);
    const bool whole = co_await std::move(asked);
    if (!whole) co_return std::nullopt;
  } else {
    auto asked = log_.seq_at(user, start);
    const auto at_start = co_await std::move(asked);
    if (!at_start) co_return std::nullopt;
    had = *at_start;
  }
  auto question = log_.of_user_after(user, had, kMostEvents);
  auto events = co_await std::move(question);
  if (!events || events->size() == static_cast<std::size_t>(kMostEvents)) co_return std::nullopt;
  // Of a user of whom nothing was known then, the log must have the first.
  if (had == 0 && !events->empty() && events->front().seq != 1) co_return std::nullopt;
  const auto last = events->empty() ? had : events->back().seq;
  if (events->size() > kAllProgress) *events = without_overtaken(std::move(*events));
  std::size_t bytes = 0;
  for (const auto& event : *events) bytes += event.payload.size();
  if (bytes > kMostBytes) co_return std::nullopt;
  co_return encode(std::move(*events), last);
}

Task<std::optional<socketio::LoggedEvents>> QueueRecovery::since(socketio::SocketPtr socket, std::uint64_t order) {
  const auto seq = static_cast<std::int64_t>(order);
  auto question = log_.of_user_after(identity_of(*socket).user, seq, kMostEvents);
  auto events = co_await std::move(question);
  if (!events || events->size() == static_cast<std::size_t>(kMostEvents)) co_return std::nullopt;
  const auto last = events->empty() ? seq : events->back().seq;
  co_return encode(std::move(*events), last);
}

socketio::LoggedEvents QueueRecovery::encode(std::vector<jobs::Event> events, std::int64_t last) const {
  socketio::LoggedEvents logged;
  logged.last = static_cast<std::uint64_t>(last);
  for (const auto& event : events) {
    const socketio::Arguments arguments(socketio::RawJson{event.payload}, offset_of(event));
    auto packet = socketio::encode_event("/queue", "queue-update", arguments);
    packet.order = static_cast<std::uint64_t>(event.seq);
    logged.packets.push_back(std::move(packet));
  }
  return logged;
}

}  // namespace rushes::gateways
