#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// The fields of an HTTP message in their order; names compare without case. All of them lie in one piece of
/// memory.
///
/// Threads: single-owner.
class Headers {
 public:
  /// Valid until the headers change.
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  /// The first value of `name`; nothing where the field is absent.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// The same, or an empty text.
  std::string_view get(std::string_view name) const noexcept { return find(name).value_or(std::string_view{}); }
  bool has(std::string_view name) const noexcept { return find(name).has_value(); }
  /// How many fields have that name.
  std::size_t count(std::string_view name) const noexcept;
  /// Whether a comma-separated field (`Connection`, `Upgrade`) holds `token`, in any case.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string_view value);
  /// Adds one more field, also where the name is there already (`Set-Cookie`).
  void add(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  void clear() noexcept;

  std::size_t size() const noexcept { return places_.size(); }
  bool empty() const noexcept { return places_.empty(); }
  Field operator[](std::size_t index) const noexcept {
    const auto& place = places_[index];
    const auto text = std::string_view(text_).substr(place.start);
    return {text.substr(0, place.name), text.substr(place.name, place.value)};
  }

  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
    Field operator*() const noexcept { return (*headers_)[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    Iterator operator++(int) noexcept { return {*headers_, index_++}; }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const Headers* headers_ = nullptr;
    std::size_t index_ = 0;
  };
  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, size()}; }

 private:
  struct Place {  // name and value stand behind each other in text_
    std::uint32_t start;
    std::uint32_t name;
    std::uint32_t value;
  };

  std::string text_;
  std::vector<Place> places_;
};

}  // namespace rushes::net
