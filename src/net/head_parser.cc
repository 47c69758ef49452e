#include "net/head_parser.h"

#include "base/text.h"
#include "net/host.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace rushes::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using BeastError = boost::beast::error_code;

constexpr std::size_t kMaxEmpty = 32;  // bytes of empty lines

std::string_view as_std(string_view text) { return {text.data(), text.size()}; }

/// Beast's parser with our Request as the place where it puts things.
class Parser final : public http::basic_parser<true> {
 public:
  Parser(Request& request, const HeadLimits& limits) : request_(request), max_fields_(limits.max_fields) {
    header_limit(static_cast<std::uint32_t>(limits.max_bytes));
    body_limit(boost::none);
  }
  bool too_many_fields() const noexcept { return too_many_; }
  int version() const noexcept { return version_; }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version, BeastError&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    version_ = version;
  }
  void on_field_impl(http::field, string_view name, string_view value, BeastError& error) override {
    if (request_.headers.size() >= max_fields_) {
      too_many_ = true;
      error = http::error::header_limit;
      return;
    }
    request_.headers.add(as_std(name), as_std(value));
  }
  void on_response_impl(int, string_view, int, BeastError&) override {}
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(string_view, BeastError&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view, BeastError&) override { return 0; }
  void on_finish_impl(BeastError&) override {}

  Request& request_;
  const std::size_t max_fields_;
  int version_ = 11;
  bool too_many_ = false;
};

/// Takes scheme and authority off an absolute target. Its authority counts, whatever `Host` says (RFC 9112, 3.2.2).
/// False: it has no usable one.
bool take_authority(std::string_view& target, Headers& headers) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equals_ignore_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const auto end = std::min(target.find_first_of("/?#"), target.size());
    const auto authority = target.substr(0, end);
    if (authority.empty() || !is_host(authority)) return false;
    if (headers.get("Host") != authority) headers.set("Host", authority);
    target.remove_prefix(end);
    return true;
  }
  return true;
}

/// The path and query of a target in origin form, or of an absolute one. False: neither.
bool split_target(Request& request) {
  std::string_view target = request.target;
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return true;
  }
  const bool origin_form = target.starts_with('/');
  if (!origin_form && !take_authority(target, request.headers)) return false;
  target = target.substr(0, target.find('#'));
  const auto question = target.find('?');
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  const auto raw = target.substr(0, question);
  if (raw.empty() && !origin_form && target.data() != request.target.data()) {
    request.path = "/";  // `http://host?x=1`
    return true;
  }
  if (!raw.starts_with('/')) return false;
  auto path = percent_decode(raw);
  if (!path) return false;
  request.path = std::move(*path);
  return true;
}

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// A line that begins with a blank goes on with the field before it, for those who still know that (RFC 9112, 5.2).
bool has_folded_field(std::string_view head) {
  return head.find("\r\n ") != std::string_view::npos || head.find("\r\n\t") != std::string_view::npos;
}

/// A line that ends without its CR is no line; whoever sends one waits for an answer.
bool has_bare_line_feed(std::string_view head) {
  for (auto at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return true;
  }
  return false;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

HeadOutcome refuse(int status, const char* why) {
  HeadOutcome outcome;
  outcome.refusal = HeadRefusal{status, why};
  return outcome;
}

}  // namespace

HeadOutcome parse_head(std::string_view input, const HeadLimits& limits, Request& request) {
  // Empty lines before a request line are tolerated (RFC 9112, 2.2).
  std::size_t skipped = 0;
  while (skipped < kMaxEmpty && input.substr(skipped).starts_with("\r\n")) skipped += 2;
  input.remove_prefix(skipped);

  // What cannot become a request is refused at once: no waiting for its end.
  const bool may_be_empty_line = skipped < kMaxEmpty && input == "\r";
  if (!input.empty() && !is_letter(input.front()) && !may_be_empty_line) return refuse(400, "This is not HTTP.");

  // The parser is asked only once the head is whole, so that it starts afresh and owns nothing in between.
  const auto end = input.find("\r\n\r\n");
  // By its size as it comes: Beast leaves a little of it out of its count.
  const auto size = end == std::string_view::npos ? input.size() : end + 4;
  if (size > limits.max_bytes) return refuse(431, "The head of the request is too large.");
  if (has_bare_line_feed(input.substr(0, end))) return refuse(400, "A line of the head ends without CR.");
  if (end == std::string_view::npos) return {};
  if (has_folded_field(input.substr(0, end))) return refuse(400, "A field of the head is folded over two lines.");
  Parser parser(request, limits);
  BeastError error;
  std::size_t consumed = 0;
  while (!parser.is_header_done() && !error) {
    consumed += parser.put(boost::asio::const_buffer(input.data() + consumed, input.size() - consumed), error);
  }
  if (error == http::error::header_limit) {
    return refuse(431, parser.too_many_fields() ? "The request has too many header fields."
                                                : "The head of the request is too large.");
  }
  if (error == http::error::bad_version) return refuse(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  if (error) return refuse(400, "The head of the request could not be read.");

  RequestHead head;
  head.consumed = skipped + consumed;
  head.keep_alive = parser.keep_alive();
  head.http_1_0 = parser.version() < 11;
  // An upgrade to anything else is ignored, as RFC 9110, 7.8 allows: HTTP/2 in clear text asks for it by default.
  head.upgrade = parser.upgrade() && request.headers.has_token("Upgrade", "websocket");
  head.chunked = parser.chunked();
  if (const auto length = parser.content_length()) head.content_length = *length;
  if (const auto coding = request.headers.find("Transfer-Encoding")) {
    if (head.content_length || request.headers.has("Content-Length"))
      return refuse(400, "The body's length is ambiguous.");
    if (!equals_ignore_case(*coding, "chunked") || !head.chunked) {
      return refuse(501, "Only the transfer encoding `chunked` is supported.");
    }
    if (parser.version() < 11) return refuse(400, "HTTP/1.0 has no transfer encodings.");
  }
  if (const auto expect = request.headers.find("Expect")) {
    if (!equals_ignore_case(*expect, "100-continue")) return refuse(417, "Only `Expect: 100-continue` is supported.");
    head.expects_continue = parser.version() >= 11;
  }
  if (parser.version() >= 11 && !request.headers.has("Host")) return refuse(400, "The field `Host` is missing.");
  if (request.headers.count("Host") > 1) return refuse(400, "The field `Host` is there twice.");
  if (!is_host(request.headers.get("Host"))) return refuse(400, "The field `Host` is no host.");
  if (!is_ascii(request.target)) return refuse(400, "The target of the request holds a byte that is not ASCII.");
  if (!split_target(request)) return refuse(400, "The target of the request could not be read.");
  HeadOutcome outcome;
  outcome.head = head;
  return outcome;
}

}  // namespace rushes::net
