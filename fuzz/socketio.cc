// Socket.IO packets: what is accepted keeps the protocol's bounds, and can be encoded and decoded again.
#include "net/utf8.h"
#include "require.h"
#include "socketio/packet.h"

#include <string>
#include <vector>

using namespace rushes;
using fuzz::require;
using socketio::PacketType;

namespace {

/// A whole number may come back as an integer.
bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number() && (a.is_double() || b.is_double())) {
    return a.to_number<double>() == b.to_number<double>();
  }
  if (const auto* const array = a.if_array()) {
    const auto* const other = b.if_array();
    if (other == nullptr || array->size() != other->size()) return false;
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (!same((*array)[i], (*other)[i])) return false;
    }
    return true;
  }
  if (const auto* const object = a.if_object()) {
    const auto* const other = b.if_object();
    if (other == nullptr || object->size() != other->size()) return false;
    for (const auto& member : *object) {
      const auto* const value = other->if_contains(member.key());
      if (value == nullptr || !same(member.value(), *value)) return false;
    }
    return true;
  }
  return a == b;
}

std::size_t count_placeholders(const json::value& value) {
  std::size_t count = 0;
  if (const auto* const array = value.if_array()) {
    for (const auto& element : *array) count += count_placeholders(element);
  } else if (const auto* const object = value.if_object()) {
    const auto* const mark = object->if_contains("_placeholder");
    if (mark != nullptr && mark->is_bool() && mark->get_bool()) return 1;
    for (const auto& member : *object) count += count_placeholders(member.value());
  }
  return count;
}

void check_round_trip(const socketio::Packet& packet) {
  const auto& array = packet.data.get_array();
  const bool is_event = packet.type == PacketType::event || packet.type == PacketType::binary_event;
  json::array values(array.begin() + (is_event ? 1 : 0), array.end());
  const auto args =
      socketio::Arguments::from_array(values, std::vector<std::string>(packet.attachments, std::string("bytes")));
  const auto encoded =
      is_event ? socketio::encode_event(packet.nsp, std::string_view(array.front().get_string()), args, packet.id)
               : socketio::encode_ack(packet.nsp, *packet.id, args);
  require(encoded.attachments.size() == packet.attachments, "each attachment goes along");
  auto text = encoded.text->payload();
  require(text.starts_with('4') && net::is_valid_utf8(text), "what we send is an Engine.IO message");
  text.remove_prefix(1);
  const auto again = socketio::decode_packet(text);
  require(again.has_value(), "what we send can be decoded");
  require(again->type == packet.type && again->nsp == packet.nsp && again->id == packet.id &&
              again->attachments == packet.attachments && same(packet.data, again->data),
          "the packet comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::as_text(data, size);
  const auto packet = socketio::decode_packet(text);
  if (!packet) return 0;
  const bool is_binary = packet->type == PacketType::binary_event || packet->type == PacketType::binary_ack;
  require(packet->type != PacketType::connect_error, "only the server says CONNECT_ERROR");
  require(is_binary == (packet->attachments > 0), "binary packets, and no others, have attachments");
  require(packet->attachments <= socketio::PacketLimits().max_attachments, "the limit of attachments is kept");
  require(packet->nsp.starts_with('/'), "a namespace begins with a slash");

  const bool placed = socketio::check_placeholders(packet->data, packet->attachments).has_value();
  require(!placed || count_placeholders(packet->data) == packet->attachments, "each attachment has its one place");
  if (!packet->data.is_array()) return 0;
  if (packet->type == PacketType::event || packet->type == PacketType::binary_event) {
    const auto& name = packet->data.get_array().at(0).as_string();
    require(!socketio::is_reserved_event({name.data(), name.size()}), "no event has a reserved name");
  }
  // The transports let only UTF-8 through.
  if (net::is_valid_utf8(text)) check_round_trip(*packet);
  return 0;
}
