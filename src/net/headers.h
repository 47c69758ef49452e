#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// The fields of an HTTP message in their order; names compare without case.
///
/// Threads: single-owner.
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  /// The first value of `name`; nothing where the field is absent.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// The same, or an empty text.
  std::string_view get(std::string_view name) const noexcept { return find(name).value_or(std::string_view{}); }
  bool has(std::string_view name) const noexcept { return find(name).has_value(); }
  /// Whether a comma-separated field (`Connection`, `Upgrade`) holds `token`, in any case.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string_view value);
  /// Adds one more field, also where the name is there already (`Set-Cookie`).
  void add(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  void clear() noexcept { fields_.clear(); }

  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

}  // namespace rushes::net
