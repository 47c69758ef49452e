#include "source/detail/clean_info.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace rushes::source::detail {
namespace {

constexpr std::string_view kSmuggle = "__youtubedl_smuggle";
// Members whose text yt-dlp opens, whatever it looks like.
constexpr std::array<std::string_view, 6> kAddresses{"url",         "manifest_url", "fragment_base_url",
                                                     "webpage_url", "original_url", "thumbnail"};
// Members that people read; an address in them leads nowhere.
constexpr std::array<std::string_view, 9> kProse{"title",      "fulltitle", "alt_title", "description", "tags",
                                                 "categories", "chapters",  "channel",   "uploader"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether it begins with a scheme and two slashes, or with the slashes alone.
bool looks_like_a_url(std::string_view text) {
  const auto slashes = text.find("//");
  if (slashes == 0) return true;
  if (slashes == std::string_view::npos || slashes < 2 || text[slashes - 1] != ':') return false;
  const auto scheme = text.substr(0, slashes - 1);
  return std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
  });
}

/// Takes members off one record, and remembers why the last was refused.
class Cleaner {
 public:
  explicit Cleaner(const net::AddressFilter& filter) : filter_(filter) {}

  /// Whether `value`, of the member `name`, may be handed back. Removes headers and cookies on its way.
  bool fit(std::string_view name, json::value& value) {
    if (is_one_of(kProse, name)) return true;
    if (value.is_string()) return fit_text(name, value.get_string());
    if (value.is_array()) {
      auto& list = value.get_array();
      return std::all_of(list.begin(), list.end(), [&](json::value& entry) { return fit(name, entry); });
    }
    if (!value.is_object()) return true;
    auto& object = value.get_object();
    strip(object);
    return std::all_of(object.begin(), object.end(), [&](auto& member) { return fit(member.key(), member.value()); });
  }

  /// Removes what is unfit in `value`: entries of a list and of the lists in an object. False: it is unfit as a whole.
  bool prune(std::string_view name, json::value& value, int lists_below) {
    if (is_one_of(kProse, name)) return true;
    if (value.is_array()) {
      auto& list = value.get_array();
      const auto unfit =
          std::remove_if(list.begin(), list.end(), [&](json::value& entry) { return !fit(name, entry); });
      list.erase(unfit, list.end());
      return true;
    }
    if (!value.is_object() || lists_below == 0) return fit(name, value);
    prune_members(value.get_object(), lists_below - 1);
    return true;
  }

  void prune_members(json::object& object, int lists_below) {
    strip(object);
    for (auto member = object.begin(); member != object.end();) {
      member = prune(member->key(), member->value(), lists_below) ? std::next(member) : object.erase(member);
    }
  }

  const Error& why() const { return why_; }

 private:
  static void strip(json::object& object) {
    object.erase("http_headers");
    object.erase("cookies");
  }

  bool fit_text(std::string_view name, std::string_view text) {
    text = trim(text);
    const bool url = looks_like_a_url(text);
    if (!url && !is_one_of(kAddresses, name)) return true;
    if (text.find(kSmuggle) != std::string_view::npos) {
      why_ = Error::for_user(Errc::invalid_argument, "URL_INVALID", "The page smuggles options into an address.");
      return false;
    }
    // The path is no matter, and longer than users' URLs may be.
    const auto scheme = text.find("//");
    const auto end = url ? text.find_first_of("/?#", scheme + 2) : std::string_view::npos;
    auto origin = std::string(text.substr(0, end));
    if (origin.starts_with("//")) origin.insert(0, "http:");
    const auto checked = filter_.check_url(origin);
    if (!checked) why_ = checked.error();
    return checked.has_value();
  }

  const net::AddressFilter& filter_;
  Error why_;
};

}  // namespace

Result<void> clean_info(json::object& info, const net::AddressFilter& filter) {
  if (const auto page = string_member(info, "webpage_url")) {
    const auto checked = filter.check_url(std::string_view(*page).substr(0, page->find('#')));
    if (!checked) return checked.error();
    info["webpage_url"] = checked->url;
  }
  const auto formats_in = [&]() -> std::size_t {
    const auto* formats = info.if_contains("formats");
    return formats != nullptr && formats->is_array() ? formats->get_array().size() : 0;
  };
  const auto before = formats_in() + (info.contains("url") ? 1 : 0);
  Cleaner cleaner(filter);
  cleaner.prune_members(info, 1);
  if (before != 0 && formats_in() == 0 && !info.contains("url")) return cleaner.why();
  return {};
}

}  // namespace rushes::source::detail
