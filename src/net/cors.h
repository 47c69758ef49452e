#pragma once
#include "net/http.h"

#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// Which web pages may use the server from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// Besides the listed origins these may: the server's own (the `Host` header), and, with
/// `localhost`, any port of localhost. `*` in the list opens it to all, without credentials.
///
/// Threads: immutable.
class CorsPolicy {
 public:
  CorsPolicy() = default;
  explicit CorsPolicy(std::vector<std::string> origins, bool localhost = true);

  /// Requests without an Origin come from no page, and are allowed.
  bool allows(const Request& request) const;
  /// Adds the headers by which the browser lets the page read the answer: to every answer, errors too.
  void add_headers(const Request& request, Response& response) const;
  /// Whether this is the browser asking beforehand; `answer` is then complete.
  bool answer_preflight(const Request& request, Response& answer) const;

 private:
  std::vector<std::string> origins_;
  bool localhost_ = true;
  bool everyone_ = false;
};

}  // namespace rushes::net
