#pragma once
#include "base/json.h"
#include "net/message.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::api {

// What requests hold besides what their routes know: ignored and named in the answer (`warnings`), or refused where the
// client prefers that (`Prefer: handling=strict`, RFC 7240).
// Threads: all may be called from any thread; requests and lists are their handler's.

using Names = std::vector<std::string_view>;

/// A sentence for each member that is not known, at most 16.
using Unknown = std::vector<std::string>;

/// Adds the sentence for `name`, which is not one of `known`; `path` stands before it.
void note_unknown(Unknown& unknown, std::string_view path, std::string_view name, const Names& known);

/// The members of a JSON object that a client sent; null is as absent.
///
/// Lifetime: the object and `code` outlive it.
/// Errors:   `invalid_argument` with the code that it was given, naming the member and its value.
class Members {
 public:
  /// `path` is what stands before a member's name in messages, such as "options.". What is not `known` joins `unknown`.
  Members(const json::object& object, std::string_view code, std::string path, const Names& known, Unknown& unknown);

  /// Null where it is absent.
  const json::value* find(std::string_view name) const;
  Result<std::optional<std::string>> text(std::string_view name,
                                          std::size_t most_bytes = std::numeric_limits<std::size_t>::max()) const;
  Result<std::optional<bool>> flag(std::string_view name) const;
  Result<std::optional<std::int64_t>> number(std::string_view name, std::int64_t least, std::int64_t most) const;
  Result<const json::object*> object(std::string_view name) const;

  /// `name`'s value is not allowed: `why` follows it, such as "is not a text".
  Error wrong(std::string_view name, std::string_view why) const;
  const std::string& path() const noexcept { return path_; }

 private:
  const json::object& object_;
  const std::string_view code_;
  const std::string path_;
};

/// A value of the request as messages name it: its JSON, at most 60 bytes of it.
std::string shown(const json::value& value);

/// Whether the client wants a request refused that holds what is not known.
bool is_strict(const net::Request& request);

/// Hands `unknown` to the answer of this request. Errors: `invalid_argument` (UNKNOWN_MEMBER) where it is strict.
/// Asked for before anything is changed.
Result<void> allow_unknown(net::Request& request, Unknown unknown);

/// The same of the query's parameters, of which `known` are the route's.
Result<void> check_query(net::Request& request, const Names& known);

/// Adds `warnings` to an answer that is a JSON object, and `Preference-Applied`.
void name_ignored(const net::Request& request, net::Response& response);

}  // namespace rushes::api
