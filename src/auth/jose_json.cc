#include "auth/jose_json.h"

namespace rushes::auth {
namespace {

std::size_t members_of(const json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) count += 1 + members_of(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) count += members_of(item);
  }
  return count;
}

// In well-formed JSON each colon outside of a string belongs to one member.
std::size_t members_written(std::string_view text) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (text[i] == '\\') ++i;  // occurs in strings only
    if (text[i] == ':' && !in_string) ++count;
  }
  return count;
}

}  // namespace

Result<json::object> parse_unique(std::string_view text) {
  auto value = parse_json(text, 16);
  if (!value) return value.error();
  if (!value->is_object()) return Error(Errc::malformed, "not a JSON object");
  // Of two members with one name the parser keeps one.
  if (members_of(*value) != members_written(text)) return Error(Errc::malformed, "a name occurs twice in an object");
  return std::move(value->get_object());
}

}  // namespace rushes::auth
