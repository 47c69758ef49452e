#include "socketio/packet.h"

#include "net/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rushes::socketio {
namespace {

constexpr std::size_t kMaxNamespaceName = 200;

Error malformed(const char* why) { return Error(Errc::malformed, std::string("Socket.IO packet: ") + why); }

/// The digits at the front of `text`, taken off it; nothing where there are none.
Result<std::optional<std::uint64_t>> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument) return std::optional<std::uint64_t>();
  if (error != std::errc{}) return malformed("a number out of bounds");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return std::optional(value);
}

Result<void> check_data(const Packet& packet) {
  switch (packet.type) {
    case PacketType::connect:
      if (!packet.data.is_null() && !packet.data.is_object())
        return malformed("CONNECT with a payload that is no object");
      return {};
    case PacketType::disconnect:
      if (!packet.data.is_null()) return malformed("DISCONNECT with a payload");
      return {};
    case PacketType::event:
    case PacketType::binary_event: {
      const auto* const array = packet.data.if_array();
      if (array == nullptr || array->empty()) return malformed("an event that is no array");
      const auto* const name = array->front().if_string();
      if (name == nullptr) return malformed("an event without a name");
      if (is_reserved_event({name->data(), name->size()})) return malformed("a reserved event");
      return {};
    }
    case PacketType::ack:
    case PacketType::binary_ack:
      if (!packet.data.is_array() || !packet.id) return malformed("an acknowledgement without array or id");
      return {};
    case PacketType::connect_error:
      return malformed("CONNECT_ERROR is the server's");
  }
  return malformed("unknown type");
}

Result<void> count_placeholders(const json::value& value, std::vector<bool>& seen) {
  if (const auto* const array = value.if_array()) {
    for (const auto& element : *array) {
      if (auto counted = count_placeholders(element, seen); !counted) return counted;
    }
    return {};
  }
  const auto* const object = value.if_object();
  if (object == nullptr) return {};
  const auto* const mark = object->if_contains("_placeholder");
  if (mark != nullptr && mark->is_bool() && mark->get_bool()) {
    const auto number = int_member(*object, "num");
    if (!number || *number < 0 || static_cast<std::size_t>(*number) >= seen.size() ||
        seen[static_cast<std::size_t>(*number)])
      return malformed("a bad placeholder");
    seen[static_cast<std::size_t>(*number)] = true;
    return {};
  }
  for (const auto& member : *object) {
    if (auto counted = count_placeholders(member.value(), seen); !counted) return counted;
  }
  return {};
}

/// `4`, the type, the attachments' number, the namespace, the id: all before the JSON.
std::string head_of(PacketType type, std::string_view nsp, std::size_t attachments, std::optional<std::uint64_t> id) {
  std::string head;
  head.reserve(64);
  head += '4';
  head += static_cast<char>('0' + static_cast<int>(type));
  if (type == PacketType::binary_event || type == PacketType::binary_ack) {
    head += std::to_string(attachments);
    head += '-';
  }
  if (nsp != "/") {
    head += nsp;
    head += ',';
  }
  if (id) head += std::to_string(*id);
  return head;
}

/// Of the bytes that stand in a JSON string as they are, those that are a character each.
bool is_plain(char byte) { return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\'; }

EncodedPacket with_attachments(net::FramePtr text, const Arguments& args) {
  EncodedPacket packet{std::move(text), {}};
  for (const auto& bytes : args.attachments()) packet.attachments.push_back(net::Frame::binary(bytes));
  return packet;
}

}  // namespace

bool is_reserved_event(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 6> kReserved{"connect",       "connect_error", "disconnect",
                                                             "disconnecting", "newListener",   "removeListener"};
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}

Result<Packet> decode_packet(std::string_view text, const PacketLimits& limits) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return malformed("unknown type");
  Packet packet;
  packet.type = static_cast<PacketType>(text.front() - '0');
  text.remove_prefix(1);
  if (packet.type == PacketType::binary_event || packet.type == PacketType::binary_ack) {
    const auto count = take_number(text);
    if (!count) return count.error();
    if (!*count || !text.starts_with('-')) return malformed("a binary packet without a number of attachments");
    if (**count < 1 || **count > limits.max_attachments) return malformed("a number of attachments out of bounds");
    packet.attachments = static_cast<std::size_t>(**count);
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) {
    const auto comma = std::min(text.find(','), text.size());
    const auto name = text.substr(0, comma);
    if (name.size() > kMaxNamespaceName) return malformed("a namespace with too long a name");
    packet.nsp = name.substr(0, name.find('?'));
    text.remove_prefix(std::min(text.size(), comma + 1));
  }
  const auto id = take_number(text);
  if (!id) return id.error();
  packet.id = *id;
  if (!text.empty()) {
    auto data = parse_json(text);
    if (!data) return data.error();
    packet.data = std::move(*data);
  }
  if (auto checked = check_data(packet); !checked) return checked.error();
  return packet;
}

Result<void> check_placeholders(const json::value& data, std::size_t attachments) {
  std::vector<bool> seen(attachments, false);
  if (auto counted = count_placeholders(data, seen); !counted) return counted;
  if (std::find(seen.begin(), seen.end(), false) != seen.end())
    return malformed("an attachment that nothing refers to");
  return {};
}

EncodedPacket encode_event(std::string_view nsp, std::string_view event, const Arguments& args,
                           std::optional<std::uint64_t> id, std::uint64_t topic) {
  if (args.attachments().empty() && !id && std::all_of(event.begin(), event.end(), is_plain)) {
    const bool is_root = nsp == "/";
    return {net::Frame::event(topic, {is_root ? "42[\"" : "42", is_root ? "" : nsp, is_root ? "" : ",[\"", event,
                                      args.text().empty() ? "\"" : "\",", args.text(), "]"})};
  }
  const auto type = args.attachments().empty() ? PacketType::event : PacketType::binary_event;
  const auto head = head_of(type, nsp, args.attachments().size(), id);
  // One with attachments cannot be left out: they would stand alone.
  if (!args.attachments().empty()) topic = 0;
  return with_attachments(
      net::Frame::event(topic, {head, "[", Arguments(event).text(), args.text().empty() ? "" : ",", args.text(), "]"}),
      args);
}

EncodedPacket encode_ack(std::string_view nsp, std::uint64_t id, const Arguments& args) {
  const auto type = args.attachments().empty() ? PacketType::ack : PacketType::binary_ack;
  const auto head = head_of(type, nsp, args.attachments().size(), id) + "[";
  return with_attachments(net::Frame::text(head, args.text(), "]"), args);
}

EncodedPacket encode_connect(std::string_view nsp, std::string_view sid, std::string_view pid) {
  auto text = head_of(PacketType::connect, nsp, 0, std::nullopt);
  text.append("{\"sid\":\"").append(sid);
  if (!pid.empty()) text.append("\",\"pid\":\"").append(pid);
  return {net::Frame::text(text, "\"}")};
}

EncodedPacket encode_connect_error(std::string_view nsp, std::string_view message, const json::value& data) {
  json::object body;
  body["message"] = message;
  if (!data.is_null()) body["data"] = data;
  return {net::Frame::text(head_of(PacketType::connect_error, nsp, 0, std::nullopt), Arguments(body).text())};
}

EncodedPacket encode_disconnect(std::string_view nsp) {
  return {net::Frame::text(head_of(PacketType::disconnect, nsp, 0, std::nullopt))};
}

}  // namespace rushes::socketio
