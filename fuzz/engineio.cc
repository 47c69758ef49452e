// Engine.IO packets and payloads: a payload is its parts, and what is decoded can be encoded and decoded again.
#include "engineio/packet.h"
#include "require.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <vector>

using namespace rushes;
using fuzz::require;

namespace {

bool same(const engineio::PayloadPart& a, const engineio::PayloadPart& b) {
  if (a.binary != b.binary) return false;
  return a.binary ? a.bytes == b.bytes : a.packet.type == b.packet.type && a.packet.body == b.packet.body;
}

std::string text_of(const engineio::Packet& packet) {
  return static_cast<char>('0' + static_cast<int>(packet.type)) + std::string(packet.body);
}

void check_payload(std::string_view body) {
  const auto parts = engineio::decode_payload(body);
  // Part by part it means the same.
  bool each = true;
  std::vector<std::string_view> texts;
  for (auto rest = body;;) {
    const auto end = rest.find('\x1e');
    texts.push_back(rest.substr(0, end));
    each = each && engineio::decode_payload(texts.back()).has_value();
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  require(parts.has_value() == each, "a payload is good where all its parts are");
  if (!parts) return;
  require(parts->size() == texts.size(), "each text is a part");

  std::vector<net::FramePtr> frames;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const auto& part = (*parts)[i];
    require(part.binary || text_of(part.packet) == texts[i], "a packet is its type and its body");
    frames.push_back(part.binary ? net::Frame::binary(part.bytes) : net::Frame::text(text_of(part.packet)));
  }
  const auto encoded = engineio::encode_payload(frames);
  const auto again = engineio::decode_payload(encoded);
  require(again.has_value() && again->size() == parts->size(), "it can be encoded and decoded again");
  for (std::size_t i = 0; i < parts->size(); ++i) require(same((*parts)[i], (*again)[i]), "the parts come back");
}

void check_binary(FuzzedDataProvider& provider) {
  std::vector<net::FramePtr> frames;
  std::vector<std::string> messages;
  while (provider.remaining_bytes() > 0 && messages.size() < 8) {
    messages.push_back(provider.ConsumeRandomLengthString(100));
    frames.push_back(net::Frame::binary(messages.back()));
  }
  if (frames.empty()) return;
  const auto parts = engineio::decode_payload(engineio::encode_payload(frames));
  require(parts.has_value() && parts->size() == messages.size(), "binary messages survive polling");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    require((*parts)[i].binary && (*parts)[i].bytes == messages[i], "binary messages come back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (const auto packet = engineio::decode_packet(fuzz::as_text(data, size))) {
    require(text_of(*packet) == fuzz::as_text(data, size), "a packet is its type and its body");
  }
  check_payload(fuzz::as_text(data, size));
  FuzzedDataProvider provider(data, size);
  check_binary(provider);
  return 0;
}
