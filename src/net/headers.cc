#include "net/headers.h"

#include "base/text.h"

#include <algorithm>

namespace rushes::net {
namespace {

constexpr std::size_t kKept = 4UL << 10U;

}  // namespace

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const auto field : *this) {
    if (equals_ignore_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const noexcept {
  const auto same = [name](const Field& field) { return equals_ignore_case(field.name, name); };
  return static_cast<std::size_t>(std::count_if(begin(), end(), same));
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const auto field : *this) {
    if (!equals_ignore_case(field.name, name)) continue;
    auto rest = field.value;
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
  places_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size()),
                     static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void Headers::erase(std::string_view name) {
  // Their text stays until the headers go: nothing erases many.
  std::erase_if(places_, [this, name](const Place& place) {
    return equals_ignore_case(std::string_view(text_).substr(place.start, place.name), name);
  });
}

void Headers::clear() noexcept {
  // A token of 16 KiB is no reason to keep so much for a connection that is idle.
  if (text_.capacity() > kKept) std::string().swap(text_);
  text_.clear();
  places_.clear();
}

}  // namespace rushes::net
