#pragma once
#include "async/task.h"
#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushes::net {

/// Header fields in their order; names are compared without case (RFC 9110, 5.1). Single-owner.
class Headers {
 public:
  /// The first field of that name; nothing where there is none.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Replaces every field of that name.
  void set(std::string_view name, std::string_view value);

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request's body, read piece by piece while it arrives.
///
/// Threads: on the connection's executor.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Fills the front of `space` and gives how much; 0 at the end.
  /// Errors: `malformed`, `timed_out`, `too_large`; `unavailable` when the client is gone.
  virtual Task<Result<std::size_t>> read(std::span<char> space) = 0;
  /// As the client announced it; nothing for a chunked body.
  virtual std::optional<std::uint64_t> content_length() const = 0;
};

/// One request. Lives until its handler's task has ended.
struct Request {
  std::string method;
  std::string target;  // as sent
  std::string path;    // percent-decoded, without the query
  std::string query;   // as sent, without `?`
  Headers headers;
  std::string remote_address;
  bool from_loopback = false;
  std::map<std::string, std::string> params;  // from the route's pattern
  std::string body;                           // empty on streaming routes
  BodyReader* stream = nullptr;               // on streaming routes only

  /// A query parameter, decoded; nothing where it is absent.
  std::optional<std::string> query_param(std::string_view name) const;
};

/// Part of a file as a body.
struct FileBody {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::string_view static_body;  // where not empty, instead of `body`; lives as long as the program
  std::optional<FileBody> file;  // instead of both
};

/// Answers one request. The request outlives the task.
using Handler = std::function<Task<Response>(Request& request)>;

/// `error` as application/problem+json (RFC 9457), in its public words.
Response problem(const Error& error);
Response json_response(int status, const json::value& value);

/// `a%20b` as `a b`; with `plus_is_space`, as forms are written. What is no escape stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

std::string_view reason_phrase(int status) noexcept;

}  // namespace rushes::net
