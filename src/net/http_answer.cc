#include "base/json_writer.h"
#include "net/gzip.h"
#include "net/http_connection.h"

#include <boost/beast/http/status.hpp>

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace rushes::net {
namespace {

constexpr std::size_t kSmallBody = 4UL << 10U;  // copied behind the head, which costs less than to send two pieces
constexpr std::size_t kFileChunk = 256UL << 10U;
constexpr std::chrono::milliseconds kLingerTime{5'000};
constexpr std::uint64_t kLingerBytes = 256ULL << 20U;

/// `Date: …\r\n`, made once a second.
std::string_view date_line() {
  thread_local std::time_t made_at = 0;
  thread_local char line[64];
  thread_local std::size_t size = 0;
  if (const auto now = std::time(nullptr); now != made_at) {
    made_at = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    size = std::strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  }
  return {line, size};
}

bool is_line_break(char byte) { return byte == '\r' || byte == '\n'; }

bool is_bodiless(int status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

Response status_problem(int status, std::string_view why) {
  const auto code = status == 413   ? Errc::too_large
                    : status == 408 ? Errc::timed_out
                    : status == 403 ? Errc::forbidden
                                    : Errc::malformed;
  const auto name = status == 431   ? "HEAD_TOO_LARGE"
                    : status == 408 ? "REQUEST_TIMEOUT"
                    : status == 413 ? "BODY_TOO_LARGE"
                    : status == 403 ? "ORIGIN_NOT_ALLOWED"
                    : status == 405 ? "METHOD_NOT_ALLOWED"
                                    : "BAD_REQUEST";
  const Error error = Error::for_user(code, name, std::string(why));
  if (error.http_status() == status) return problem(error);
  // Statuses that only HTTP itself knows: 408, 417, 431, 501, 505.
  return problem(status, name, why);
}

void HttpConnection::write_head(const Response& response, std::optional<std::uint64_t> body_size, bool keep_alive) {
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  auto& answers = shard_.counts.answers;
  if (static_cast<std::size_t>(response.status) < answers.size())
    answers[static_cast<std::size_t>(response.status)].add(1);
  out_.clear();
  out_ += "HTTP/1.1 ";
  out_ += std::to_string(response.status);
  out_ += ' ';
  out_.append(reason.data(), reason.size());
  out_ += "\r\n";
  out_ += date_line();
  for (const auto field : response.headers) {
    if (std::any_of(field.value.begin(), field.value.end(), is_line_break)) {
      log::error("net", "a header {} with a line break is left out of an answer", field.name);
      continue;
    }
    out_ += field.name;
    out_ += ": ";
    out_ += field.value;
    out_ += "\r\n";
  }
  const auto origin = request_.headers.get("Origin");
  write_cors_fields(out_, origin_, origin);
  if (request_.method == "OPTIONS" && response.status == 204) {
    auto methods = shared_->router.allowed_methods(request_.path);
    if (methods.empty()) methods = "GET, HEAD, OPTIONS";
    out_ += "Allow: " + methods + "\r\n";
    if (origin_ == OriginVerdict::allowed || origin_ == OriginVerdict::anonymous) {
      write_preflight_fields(out_, request_.headers, methods);
    }
  }
  if (body_size && !is_bodiless(response.status)) {
    out_ += "Content-Length: ";
    out_ += std::to_string(*body_size);
    out_ += "\r\n";
  } else if (!body_size && !http_1_0_) {
    out_ += "Transfer-Encoding: chunked\r\n";
  }
  if (!keep_alive) {
    out_ += "Connection: close\r\n";
  } else if (http_1_0_) {
    out_ += "Connection: keep-alive\r\n";
  }
  out_ += "\r\n";
}

bool HttpConnection::may_compress(const Response& response, std::size_t size) const {
  const auto from = shared_->options.compress_from;
  return from != 0 && size >= from && is_compressible(response.headers.get("Content-Type")) &&
         !response.headers.has("Content-Encoding");
}

Task<HttpConnection::Next> HttpConnection::answer(Response response, bool keep_alive) {
  keep_alive = keep_alive && !winding_down_;
  if (response.stream) co_return co_await answer_stream(std::move(response), keep_alive);
  const bool has_body = request_.method != "HEAD" && !is_bodiless(response.status);
  if (response.file) {
    auto& file = *response.file;
    std::uint64_t size = 0;
    if (file.length) {
      size = *file.length;
    } else {
      std::error_code error;
      const auto whole = std::filesystem::file_size(file.path, error);
      if (error)
        co_return co_await answer(problem(Error(Errc::not_found, "no file " + file.path.string())), keep_alive);
      size = whole - std::min<std::uint64_t>(whole, file.offset);
    }
    write_head(response, size, keep_alive);
    const bool begun = co_await send_head();
    if (!begun) co_return Next::close;
    if (has_body && size > 0) {
      const bool whole = co_await write_file(std::move(file), size);
      if (!whole) co_return Next::close;
    }
    co_return keep_alive ? Next::keep : Next::linger;
  }
  std::string_view body = response.shared_body            ? std::string_view(*response.shared_body)
                          : !response.static_body.empty() ? response.static_body
                                                          : std::string_view(response.body);
  std::string packed;
  if (may_compress(response, body.size())) {
    // Also of one that stays as it is: caches must not give it to those who take gzip, or the other way round.
    response.headers.add("Vary", "Accept-Encoding");
    if (accepts_gzip(request_.headers)) packed = gzip(body);
  }
  if (!packed.empty()) {
    body = packed;
    response.headers.set("Content-Encoding", "gzip");
  }
  write_head(response, body.size(), keep_alive);
  if (!has_body) body = {};
  if (body.size() <= kSmallBody) {
    out_ += body;
    body = {};
  }
  std::string_view head = out_;
  if (!try_write(head, body)) {
    const bool written = co_await write_rest(head, body);
    if (!written) co_return Next::close;
  }
  co_return keep_alive ? Next::keep : Next::linger;
}

Task<bool> HttpConnection::send_head() {
  std::string_view head = out_;
  std::string_view none;
  if (try_write(head, none)) co_return true;
  co_return co_await write_rest(head, none);
}

bool HttpConnection::try_write(std::string_view& first, std::string_view& second) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  ssize_t sent = 0;
  if (second.empty()) {
    sent = ::send(socket_.fd(), first.data(), first.size(), kFlags);  // which costs the system less
  } else {
    const iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                            {const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts);
    message.msg_iovlen = 2;
    sent = ::sendmsg(socket_.fd(), &message, kFlags);
  }
  if (sent > 0) {
    const auto of_first = std::min(static_cast<std::size_t>(sent), first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(static_cast<std::size_t>(sent) - of_first);
  }
  return first.empty() && second.empty();
}

Task<bool> HttpConnection::write_rest(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    const auto before = first.size() + second.size();
    set_deadline(shared_->options.limits.write_timeout);
    const bool ready = co_await socket_.writable();
    clear_deadline();
    if (!ready || timed_out_) co_return false;
    if (try_write(first, second)) co_return true;
    if (first.size() + second.size() == before) {
      int failure = 0;
      socklen_t size = sizeof failure;
      ::getsockopt(socket_.fd(), SOL_SOCKET, SO_ERROR, &failure, &size);
      char probe = 0;
      if (failure != 0 || (::send(socket_.fd(), &probe, 0, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN &&
                           errno != EWOULDBLOCK)) {
        co_return false;
      }
    }
  }
  co_return true;
}

Task<bool> HttpConnection::write_file(FileBody file, std::uint64_t length) {
  const FileDescriptor source(file.opened ? file.opened->release() : ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source) {
    log::error("net", "{}", system_error("cannot open", file.path).what());
    co_return false;
  }
  auto offset = static_cast<off_t>(file.offset);
  while (length > 0) {
    const auto sent = ::sendfile(socket_.fd(), source.get(), &offset,
                                 static_cast<std::size_t>(std::min<std::uint64_t>(length, kFileChunk)));
    if (sent == 0) co_return false;  // the file became shorter: the client sees it by the missing bytes
    if (sent < 0 && errno != EAGAIN && errno != EINTR) co_return false;
    if (sent > 0) length -= static_cast<std::uint64_t>(sent);
    if (length == 0) break;
    set_deadline(shared_->options.limits.write_timeout);
    const bool ready = co_await socket_.writable();
    clear_deadline();
    if (!ready || timed_out_) co_return false;
  }
  co_return true;
}

Task<HttpConnection::Next> HttpConnection::linger_after(Response response) {
  co_await answer(std::move(response), false);
  co_await linger();
  co_return Next::close;
}

/// A close with unread input would reset the connection, and the client might never see our answer.
Task<> HttpConnection::linger() {
  ::shutdown(socket_.fd(), SHUT_WR);
  std::string().swap(in_);
  in_first_ = 0;
  timed_out_ = false;
  lingering_ = true;
  await_head(kLingerTime);
  std::uint64_t drained = 0;
  while (drained < kLingerBytes && !timed_out_) {
    const auto got = co_await read_some(shard_.loop->read_buffer());  // waste
    if (got == 0) break;
    drained += got;
  }
  end_wait();
  clear_deadline();
}

}  // namespace rushes::net
