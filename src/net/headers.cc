#include "net/headers.h"

#include "base/text.h"

#include <algorithm>

namespace rushes::net {

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const auto& field : fields_) {
    if (equals_ignore_case(field.name, name)) return std::string_view(field.value);
  }
  return std::nullopt;
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const auto& field : fields_) {
    if (!equals_ignore_case(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      if (equals_ignore_case(trim(rest.substr(0, comma)), token)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

void Headers::set(std::string_view name, std::string_view value) {
  erase(name);
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  fields_.push_back(Field{std::string(name), std::string(value)});
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return equals_ignore_case(field.name, name); });
}

}  // namespace rushes::net
