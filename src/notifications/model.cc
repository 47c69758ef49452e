#include "notifications/model.h"

#include <algorithm>
#include <array>

namespace rushes::notifications {
namespace {

constexpr std::array<std::string_view, 6> kTypes{"system", "processing", "usage", "update", "tip", "security"};
constexpr std::array<std::string_view, 4> kSeverities{"info", "success", "warning", "error"};

template <class Enum, std::size_t N>
Result<Enum> parse(const std::array<std::string_view, N>& words, std::string_view word, std::string_view what) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<Enum>(found - words.begin());
  std::string allowed;
  for (const auto known : words) allowed += (allowed.empty() ? "" : ", ") + std::string(known);
  return Error(Errc::invalid_argument,
               std::string(what) + " '" + std::string(word.substr(0, 40)) + "' is unknown; allowed: " + allowed + ".");
}

}  // namespace

std::string_view to_string(Type type) noexcept { return kTypes[static_cast<std::size_t>(type)]; }
std::string_view to_string(Severity severity) noexcept { return kSeverities[static_cast<std::size_t>(severity)]; }
Result<Type> parse_type(std::string_view word) { return parse<Type>(kTypes, word, "type"); }
Result<Severity> parse_severity(std::string_view word) { return parse<Severity>(kSeverities, word, "severity"); }

json::object announcement_json(const NewNotification& content) {
  json::object object{{"title", content.title},
                      {"message", content.message},
                      {"type", to_string(content.type)},
                      {"severity", to_string(content.severity)}};
  if (!content.action_url.empty()) object["actionUrl"] = content.action_url;
  if (!content.action_button_text.empty()) object["actionButtonText"] = content.action_button_text;
  if (!content.metadata.empty()) object["metadata"] = content.metadata;
  return object;
}

json::object to_json(const Notification& notification) {
  auto object = announcement_json(notification.content);
  object["id"] = notification.id.value();
  object["userId"] = notification.content.user.value();
  object["read"] = notification.read;
  object["createdAt"] = to_rfc3339(notification.created_at);
  return object;
}

}  // namespace rushes::notifications
