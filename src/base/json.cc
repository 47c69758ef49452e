#include "base/json.h"

#include "base/text.h"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace rushes {
namespace {

/// Builds the value that `json::basic_parser` reads. In place of Boost's own handler, whose doubles are an ulp off:
/// 31.72 came back as 31.720000000000002.
struct Builder {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  using Failure = boost::system::error_code;

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_object_begin(Failure&) { return true; }
  bool on_object_end(std::size_t members, Failure&) {
    stack.push_object(members);
    return true;
  }
  bool on_array_begin(Failure&) { return true; }
  bool on_array_end(std::size_t elements, Failure&) {
    stack.push_array(elements);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, Failure&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(json::string_view rest, std::size_t, Failure&) {
    stack.push_key(rest);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Failure&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(json::string_view rest, std::size_t, Failure&) {
    stack.push_string(rest);
    return true;
  }
  bool on_number_part(json::string_view, Failure&) { return true; }  // never: the whole text is there at once
  bool on_int64(std::int64_t value, json::string_view, Failure&) {
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, Failure&) {
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double rough, json::string_view digits, Failure& failure) {
    double value = rough;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    // 1e400 reads as infinite, which JSON cannot say again; 1e-400 is 0.
    if (!std::isfinite(value)) {
      failure = json::error::exponent_overflow;
      return false;
    }
    stack.push_double(value);
    return true;
  }
  bool on_bool(bool value, Failure&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(Failure&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, Failure&) { return true; }
  bool on_comment(json::string_view, Failure&) { return true; }

  json::value_stack stack;
};

/// The UTF-16 unit of the escape `\uXXXX` at `at`; 0 where none stands there.
unsigned unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return 0;
  unsigned unit = 0;
  const auto [end, failed] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
  return end == text.data() + at + 6 ? unit : 0;
}

/// Half of a surrogate pair becomes `\ufffd`, as long as it was, so that places in the text stay what they are.
/// Nothing where there is no such half.
std::optional<std::string> mend_surrogates(std::string_view text) {
  const auto leads = [](unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; };
  const auto trails = [](unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; };
  std::optional<std::string> mended;
  for (auto at = text.find('\\'); at < text.size(); at = text.find('\\', at)) {
    const auto unit = unit_at(text, at);
    if (leads(unit) && trails(unit_at(text, at + 6))) {
      at += 12;
    } else if (leads(unit) || trails(unit)) {
      if (!mended) mended.emplace(text);
      mended->replace(at, 6, "\\ufffd");
      at += 6;
    } else {
      at += 2;  // an escape is at least that long, so that `\\u` is not taken for one
    }
  }
  return mended;
}

/// Whether `text` is UTF-8 up to the character that stands at `at`, or that `at` stands in.
bool is_utf8_until(std::string_view text, std::size_t at) {
  for (std::size_t length = 1; length <= 4; ++length) {
    if (is_utf8(text.substr(0, at + length))) return true;
  }
  return false;
}

std::string why(const boost::system::error_code& failed, std::string_view text, std::size_t read,
                std::size_t max_depth) {
  if (failed == json::error::too_deep) return "nested deeper than " + std::to_string(max_depth) + " levels";
  if (failed == json::error::exponent_overflow) return "a number that is out of bounds";
  if (failed == json::error::extra_data) return "more text behind its end";
  if (failed == json::error::incomplete) return "it ends too early";
  return is_utf8_until(text, read) ? failed.message() : "bytes that are not UTF-8";
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t max_depth) {
  const auto mended = mend_surrogates(text);
  if (mended) text = *mended;
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<Builder> parser(options);
  auto& stack = parser.handler().stack;
  stack.reset();
  boost::system::error_code failed;
  // A byte order mark is no error: RFC 8259, 8.1.
  const std::size_t mark = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const auto read = mark + parser.write_some(false, text.data() + mark, text.size() - mark, failed);
  if (!failed && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) failed = json::error::extra_data;
  if (failed) {
    return Error(Errc::malformed,
                 "not JSON: " + why(failed, text, read, max_depth) + " at byte " + std::to_string(read));
  }
  return stack.release();
}

std::optional<std::string> string_member(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

std::optional<std::int64_t> int_member(const json::object& object, std::string_view key) {
  const auto* member = object.if_contains(key);
  if (member == nullptr) return std::nullopt;
  if (member->is_int64()) return member->get_int64();
  if (member->is_uint64() && member->get_uint64() <= INT64_MAX) return static_cast<std::int64_t>(member->get_uint64());
  if (member->is_double() && std::trunc(member->get_double()) == member->get_double() &&
      std::abs(member->get_double()) < 9e15) {
    return static_cast<std::int64_t>(member->get_double());
  }
  return std::nullopt;
}

}  // namespace rushes
