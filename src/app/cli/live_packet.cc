#include "app/cli/live_packet.h"

#include "base/json_writer.h"

#include <optional>
#include <utility>

namespace rushes::app::cli {
namespace {

using Kind = LivePacket::Kind;

/// What a packet's type says, and whether a body belongs to it.
struct Form {
  Kind kind;
  bool body;
};

std::optional<Form> form_of(char type) {
  switch (type) {
    case '0':
      return Form{Kind::connected, true};
    case '1':
      return Form{Kind::disconnected, false};
    case '2':
      return Form{Kind::event, true};
    case '3':
      return Form{Kind::acknowledged, true};
    case '4':
      return Form{Kind::refused, true};
    case '5':
    case '6':
      return Form{Kind::other, false};
    default:
      return std::nullopt;
  }
}

Error malformed(std::string_view message) {
  return {Errc::malformed,
          "the server sent something that is no Socket.IO packet: " + std::string(message.substr(0, 60))};
}

}  // namespace

Result<LivePacket> parse_live_packet(std::string_view message) {
  LivePacket packet;
  if (message.empty()) return malformed(message);
  const char type = message.front();
  auto rest = message.substr(1);
  if (type == '0') {
    auto body = parse_json(rest);
    if (!body || !body->is_object()) return malformed(message);
    packet.kind = Kind::open;
    packet.body = std::move(*body);
    return packet;
  }
  if (type == '1') packet.kind = Kind::close;
  if (type == '2') packet.kind = Kind::ping;
  if (type == '1' || type == '2' || type == '3' || type == '6') return packet;
  if (type != '4' || rest.empty()) return malformed(message);

  const auto form = form_of(rest.front());
  if (!form) return malformed(message);
  rest.remove_prefix(1);
  packet.kind = form->kind;
  if (packet.kind == Kind::other) return packet;
  if (rest.starts_with('/')) {
    const auto comma = std::min(rest.find(','), rest.size());
    packet.name_space = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  if (!form->body) return packet;
  // The number of an acknowledgement: ours is always the only one open, and we owe none.
  rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  auto body = parse_json(rest);
  const bool list = packet.kind == Kind::event || packet.kind == Kind::acknowledged;
  if (!body || (list ? !body->is_array() : !body->is_object())) return malformed(message);
  if (packet.kind == Kind::event && (body->get_array().empty() || !body->get_array().front().is_string())) {
    return malformed(message);
  }
  packet.body = std::move(*body);
  return packet;
}

std::string connect_packet(std::string_view name_space, const json::object& auth) {
  return "40" + std::string(name_space) + "," + to_json_text(auth);
}

std::string event_packet(std::string_view name_space, int id, std::string_view event) {
  return "42" + std::string(name_space) + "," + std::to_string(id) + to_json_text(json::array{event});
}

}  // namespace rushes::app::cli
