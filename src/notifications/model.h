#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::notifications {

using NotificationId = Strong<std::string, struct NotificationIdTag>;

enum class Type : std::uint8_t { system, processing, usage, update, tip, security };
enum class Severity : std::uint8_t { info, success, warning, error };

std::string_view to_string(Type type) noexcept;
std::string_view to_string(Severity severity) noexcept;
/// Errors: `invalid_argument`, naming the word and what is allowed.
Result<Type> parse_type(std::string_view word);
Result<Severity> parse_severity(std::string_view word);

/// Something that a user should be told, not yet stored.
struct NewNotification {
  UserId user;
  std::string title;
  std::string message;
  Type type = Type::system;
  Severity severity = Severity::info;
  std::string action_url;          // empty: none
  std::string action_button_text;  // empty: none
  json::object metadata;           // empty: none
};

struct Notification {
  NotificationId id;
  NewNotification content;
  bool read = false;
  Timestamp created_at;
};

/// The same fields without those of an inbox (`id`, `userId`, `read`, `createdAt`).
json::object announcement_json(const NewNotification& content);

/// The contract's `Notification` object.
json::object to_json(const Notification& notification);

}  // namespace rushes::notifications
