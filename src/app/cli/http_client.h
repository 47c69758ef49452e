#pragma once
#include "base/json.h"
#include "base/result.h"

#include <boost/url/url.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rushes::app::cli {

/// Checks the address of a server: http or https, a host, no path to speak of, no user name.
/// Errors: `invalid_argument`, naming it.
Result<boost::urls::url> parse_server(std::string_view text);

/// Whether the server is this machine: localhost, 127.0.0.0/8 or ::1.
bool is_this_machine(const boost::urls::url& server);

/// A file to send, and what goes with it.
struct Upload {
  std::filesystem::path file;
  std::string field;                                                   // the form's name for it
  std::vector<std::pair<std::string, std::string>> texts;              // other fields
  std::function<void(std::uint64_t sent, std::uint64_t of)> progress;  // bytes; called a few times a second
};

/// A blocking client of the REST interface.
///
/// Threads: single-owner.
/// Errors:  what the server says, with its code as public name and its message (problem+json); else
///          `unavailable` (SERVER_UNREACHABLE) where none answers, `timed_out` where one falls silent,
///          `malformed` (NOT_A_RUSHES_SERVER) for an answer that is not JSON.
class HttpClient {
 public:
  /// `token` may be empty. `first_wait` is how long a connection may take.
  HttpClient(boost::urls::url server, std::string token, std::chrono::seconds first_wait = std::chrono::seconds(10));
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;
  ~HttpClient();

  Result<json::object> get(std::string_view path, const std::vector<std::pair<std::string, std::string>>& query = {});
  Result<json::object> post(std::string_view path, const json::object& body = {});
  Result<json::object> remove(std::string_view path,
                              const std::vector<std::pair<std::string, std::string>>& query = {});
  /// Reads the file from disk while it is sent; it is never held whole.
  Result<json::object> upload(std::string_view path, const Upload& upload);

 private:
  struct Transfer;
  Result<json::object> perform(Transfer& transfer, std::string_view path);
  Result<json::object> read_answer(const Transfer& transfer, long status) const;
  Error read_failure(const Transfer& transfer, int code) const;

  const boost::urls::url server_;
  const std::string token_;
  const std::chrono::seconds first_wait_;
  void* handle_;  // CURL*: kept for its open connection
};

/// The Error that an answer of `status` with `body` stands for.
Error error_from_answer(long status, std::string_view body);

}  // namespace rushes::app::cli
