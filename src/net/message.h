#pragma once
#include "async/task.h"
#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "net/headers.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

/// The body of a request. Nothing of it is waited for until a handler asks, so that a request can be refused by its
/// head alone. A handler takes it as it comes (`read`, constant memory) or whole (`Request::read_body`).
///
/// Lifetime:  that of the request.
/// Threads:   the handler's only, one read at a time.
class BodyReader {
 public:
  virtual ~BodyReader() = default;

  /// Waits for bytes and copies at most `buffer.size()` of them; 0 means that the body has ended, whole.
  /// `buffer` must live until the read ends; 256 KiB is a good size.
  /// Errors: `malformed` (bad chunk, or the client went away in the middle), `timed_out` (slower than
  /// the least rate), `too_large` (past the route's `max_body`).
  virtual Task<Result<std::size_t>> read(std::span<char> buffer) = 0;

  /// The whole body into `into`, which grows as it comes and counts as `hold` does.
  /// Errors: as `read` and `hold`.
  virtual Task<Result<void>> read_all(std::string& into) = 0;
  /// The same, without a wait, where all of it is here. False: it is not, and nothing was taken.
  virtual bool take_all(std::string& into) = 0;

  /// Counts `bytes` of the handler's memory for this body, in place of what it counted before, until the request ends.
  /// Errors: `unavailable` (BODY_MEMORY), `exhausted` (BODY_MEMORY_OF_USER), `too_large`.
  virtual Result<void> hold(std::size_t bytes) = 0;

  /// What the client announced; nothing for a chunked body.
  virtual std::optional<std::uint64_t> content_length() const noexcept = 0;
};

/// One HTTP request. It outlives its handler's task.
struct Request {
  std::string method;
  std::string target;  // as sent: `/a%20b?x=1`
  std::string path;    // percent-decoded, without the query: `/a b`
  std::string query;   // as sent, without the question mark
  Headers headers;
  std::string peer_address;                   // who opened the connection: the client, or a proxy; without its port
  std::string remote_address;                 // the client's, which trusted proxies may name; see net/forwarded.h
  std::string scheme = "http";                // or https: what the client spoke
  std::string host;                           // as the client named the server: `app.example:8443`
  std::string prefix;                         // what stands before `path` in the client's address: `/rushes`
  std::map<std::string, std::string> params;  // from the route's pattern: {id}
  std::string body;                           // whole, once `read_body` has ended
  BodyReader* stream = nullptr;               // set by the server
  std::string user;                           // verified; whoever checks the token sets it. The body's memory is theirs
  std::vector<std::string> ignored;           // what the handler did not know, a sentence each; for `warnings`

  /// Fills `body` where all of it is here already. False: `read_body` has to wait for it.
  bool take_body();
  /// Waits for the whole body. Errors: those of `BodyReader::read_all`.
  Task<Result<void>> read_body();

  /// The first query parameter of that name, decoded (`+` is a space); nothing where it is absent.
  std::optional<std::string> query_param(std::string_view name) const;

  /// Runs `gone` once, on this thread, if the client goes away while the handler still works
  /// (long polling). Called by the handler, at most once a request.
  void when_gone(std::function<void()> gone);

  // Set by the server: how `when_gone` starts to watch the socket.
  std::function<void(std::function<void()>)> watch_peer;
};

/// The body of an answer that is made piece by piece, while it is sent.
///
/// Threads:   the connection's shard.
/// Lifetime:  that of its answer.
class BodySource {
 public:
  virtual ~BodySource() = default;

  /// Waits for the next piece, which is asked for once the client's system has taken the one before. Empty: the body
  /// has ended, whole. Errors cut the connection, so that the client sees that it is not whole.
  virtual Task<Result<std::string>> next() = 0;

  /// The client has gone or the server stops: a `next` under way, and each later one, gives the end at once.
  virtual void stop() = 0;
};

/// A part of a file as the body of an answer; it is streamed, never whole in memory.
struct FileBody {
  std::filesystem::path path;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;     // nothing: to the file's end
  std::shared_ptr<FileDescriptor> opened;  // the file, where it is open already
};

/// One HTTP answer. `Content-Length`, `Date`, `Connection` and the CORS fields are the server's business.
/// The body is the first of `stream`, `file`, `shared_body`, `static_body`, `body` that is set.
struct Response {
  Response() = default;
  explicit Response(int status_code) : status(status_code) {}
  Response(int status_code, std::string_view content_type, std::string text)
      : status(status_code), body(std::move(text)) {
    headers.add("Content-Type", content_type);
  }

  int status = 200;
  Headers headers;
  std::string body;
  std::unique_ptr<BodySource> stream;  // sent as chunks
  std::optional<FileBody> file;
  std::shared_ptr<const std::string> shared_body;
  std::string_view static_body;  // of static storage: embedded files
};

/// RFC 9457 `application/problem+json`: {type, title, status, detail, code, message}, of the error's public words, and
/// the members of `more`.
Response problem(const Error& error, const json::object& more = json::object());

/// The same for a status that only HTTP itself knows.
Response problem(int status, std::string_view code, std::string_view why);

/// `application/json`.
Response json_response(int status, const json::value& value);
/// The same of what is JSON already.
Response json_text_response(int status, std::string text);

/// A file of the disk: ETag and Last-Modified, `If-None-Match`, and one `Range` (206, 416).
/// A missing file is a 404 problem. Blocks for one stat(2).
Response file_response(const Request& request, FileBody file, std::string_view content_type);

/// `%41` to `A`. Errors: `malformed` for a bad escape, or a zero byte.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace rushes::net
