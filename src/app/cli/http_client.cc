#include "app/cli/http_client.h"

#include "base/json_writer.h"
#include "base/text.h"

#include <boost/url/parse.hpp>
#include <curl/curl.h>

#include <array>
#include <mutex>
#include <stdexcept>

namespace rushes::app::cli {
namespace {

constexpr std::size_t kMostAnswerBytes = 256UL << 20U;  // an analysis with a long transcript, and room

struct SlistFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct MimeFree {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Errc errc_of(long status) {
  switch (status) {
    case 400:
      return Errc::malformed;
    case 401:
      return Errc::unauthenticated;
    case 403:
      return Errc::forbidden;
    case 404:
      return Errc::not_found;
    case 409:
      return Errc::conflict;
    case 413:
      return Errc::too_large;
    case 415:
      return Errc::unsupported;
    case 422:
      return Errc::invalid_argument;
    case 429:
      return Errc::exhausted;
    case 502:
    case 503:
      return Errc::unavailable;
    case 504:
      return Errc::timed_out;
    default:
      return Errc::internal;
  }
}

extern "C" std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& answer = *static_cast<std::string*>(to);
  if (answer.size() + size * count > kMostAnswerBytes) return 0;
  answer.append(bytes, size * count);
  return size * count;
}

extern "C" int tell_progress(void* upload, curl_off_t, curl_off_t, curl_off_t total, curl_off_t sent) {
  const auto& tell = static_cast<const Upload*>(upload)->progress;
  if (tell) tell(static_cast<std::uint64_t>(sent), static_cast<std::uint64_t>(total));
  return 0;
}

}  // namespace

struct HttpClient::Transfer {
  std::unique_ptr<curl_slist, SlistFree> headers;
  std::unique_ptr<curl_mime, MimeFree> mime;
  boost::urls::url url;
  std::string answer;
  std::array<char, CURL_ERROR_SIZE> reason{};

  void add_header(const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    [[maybe_unused]] auto* same = headers.release();
    headers.reset(longer);
  }
};

Result<boost::urls::url> parse_server(std::string_view text) {
  const auto bad = [&](std::string_view why) {
    return Error(Errc::invalid_argument, "'" + std::string(text) + "' is not the address of a server: " +
                                             std::string(why) + "; write it like http://127.0.0.1:3000");
  };
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return bad("it cannot be read as a URL");
  if (parsed->scheme() != "http" && parsed->scheme() != "https")
    return bad("it does not begin with http:// or https://");
  if (parsed->host().empty()) return bad("it names no host");
  if (parsed->has_userinfo()) return bad("it holds a user name");
  if (parsed->has_query() || parsed->has_fragment()) return bad("it holds more than a path");
  boost::urls::url server(*parsed);
  std::string path(server.encoded_path());
  while (path.ends_with('/')) path.pop_back();
  server.set_encoded_path(path);
  return server;
}

bool is_this_machine(const boost::urls::url& server) {
  const std::string host(server.host_address());
  if (host == "localhost" || host == "::1") return true;
  return server.host_type() == boost::urls::host_type::ipv4 && server.host_ipv4_address().is_loopback();
}

Error error_from_answer(long status, std::string_view body) {
  const auto parsed = parse_json(body);
  const auto* problem = parsed ? parsed->if_object() : nullptr;
  std::string message;
  std::string code;
  if (problem != nullptr) {
    for (const auto* key : {"message", "detail", "title"}) {
      if (message.empty()) message = string_member(*problem, key).value_or("");
    }
    code = string_member(*problem, "code").value_or("");
  }
  if (message.empty()) {
    message = "The server answered with status " + std::to_string(status) + " and no reason; is it a Rushes server?";
  }
  if (code.empty()) code = "HTTP_" + std::to_string(status);
  return Error::for_user(errc_of(status), std::move(code), std::move(message));
}

HttpClient::HttpClient(boost::urls::url server, std::string token, std::chrono::seconds first_wait)
    : server_(std::move(server)), token_(std::move(token)), first_wait_(first_wait) {
  initialise_curl();
  handle_ = curl_easy_init();
  if (handle_ == nullptr) throw std::runtime_error("cannot start libcurl");
}

HttpClient::~HttpClient() { curl_easy_cleanup(handle_); }

Result<json::object> HttpClient::get(std::string_view path,
                                     const std::vector<std::pair<std::string, std::string>>& query) {
  curl_easy_reset(handle_);
  Transfer transfer;
  for (const auto& [key, value] : query) transfer.url.params().append({key, value});
  return perform(transfer, path);
}

Result<json::object> HttpClient::post(std::string_view path, const json::object& body) {
  curl_easy_reset(handle_);
  Transfer transfer;
  const auto text = to_json_text(body);
  transfer.add_header("Content-Type: application/json");
  curl_easy_setopt(handle_, CURLOPT_POST, 1L);
  curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
  curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, text.c_str());
  return perform(transfer, path);
}

Result<json::object> HttpClient::remove(std::string_view path,
                                        const std::vector<std::pair<std::string, std::string>>& query) {
  curl_easy_reset(handle_);
  Transfer transfer;
  for (const auto& [key, value] : query) transfer.url.params().append({key, value});
  curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, "DELETE");
  return perform(transfer, path);
}

Result<json::object> HttpClient::upload(std::string_view path, const Upload& upload) {
  curl_easy_reset(handle_);
  Transfer transfer;
  transfer.mime.reset(curl_mime_init(handle_));
  // Texts go first: the server knows what is asked before the file's first byte.
  for (const auto& [name, text] : upload.texts) {
    auto* part = curl_mime_addpart(transfer.mime.get());
    curl_mime_name(part, name.c_str());
    curl_mime_data(part, text.data(), text.size());
  }
  auto* part = curl_mime_addpart(transfer.mime.get());
  curl_mime_name(part, upload.field.c_str());
  if (curl_mime_filedata(part, upload.file.c_str()) != CURLE_OK) {
    return Error::for_user(Errc::not_found, "FILE_UNREADABLE",
                           "The file '" + upload.file.string() + "' cannot be read.");
  }
  curl_easy_setopt(handle_, CURLOPT_MIMEPOST, transfer.mime.get());
  curl_easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10U);
  curl_easy_setopt(handle_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle_, CURLOPT_XFERINFOFUNCTION, tell_progress);
  curl_easy_setopt(handle_, CURLOPT_XFERINFODATA, &upload);
  return perform(transfer, path);
}

Result<json::object> HttpClient::perform(Transfer& transfer, std::string_view path) {
  const auto query = std::string(transfer.url.encoded_query());
  auto url = std::string(server_.buffer()) + std::string(path) + (query.empty() ? "" : "?" + query);
  transfer.add_header("Accept: application/json");
  transfer.add_header("Prefer: handling=strict");
  transfer.add_header("Expect:");  // no round trip before a body
  if (!token_.empty()) transfer.add_header("Authorization: Bearer " + token_);

  curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);  // the token goes to the named server only
  if (is_this_machine(server_)) curl_easy_setopt(handle_, CURLOPT_PROXY, "");
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_USERAGENT, "rushes-cli");
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, transfer.headers.get());
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(first_wait_.count()));
  // However large a file is, two minutes without a byte are a dead connection.
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, 120L);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &transfer.answer);
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, transfer.reason.data());

  const auto code = curl_easy_perform(handle_);
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  // A server that refuses an upload half-way answers, then closes: its answer is the better reason.
  if (code == CURLE_OK || (status >= 400 && !transfer.answer.empty())) return read_answer(transfer, status);
  return read_failure(transfer, code);
}

Result<json::object> HttpClient::read_answer(const Transfer& transfer, long status) const {
  if (status >= 400) return error_from_answer(status, transfer.answer);
  auto parsed = parse_json(transfer.answer);
  if (status < 200 || status >= 300 || !parsed || !parsed->is_object()) {
    return Error::for_user(Errc::malformed, "NOT_A_RUSHES_SERVER",
                           "What answers at " + std::string(server_.buffer()) + " is not a Rushes server (status " +
                               std::to_string(status) + "); name the right one with --server.");
  }
  return std::move(parsed->get_object());
}

Error HttpClient::read_failure(const Transfer& transfer, int code) const {
  const std::string reason = transfer.reason[0] != '\0' ? std::string(transfer.reason.data())
                                                        : curl_easy_strerror(static_cast<CURLcode>(code));
  const std::string server(server_.buffer());
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error::for_user(Errc::timed_out, "SERVER_SILENT", "The server at " + server + " does not answer: " + reason);
  }
  if (code == CURLE_READ_ERROR) {
    return Error::for_user(Errc::unavailable, "FILE_UNREADABLE", "The file could not be read to its end.");
  }
  const std::string why = code == CURLE_COULDNT_CONNECT ? "nothing listens there" : reason;
  std::string remedy = is_this_machine(server_) ? "Start one with: rushes serve. Or name" : "Name";
  return Error::for_user(
      Errc::unavailable, "SERVER_UNREACHABLE",
      "No server can be reached at " + server + ": " + why + ". " + remedy + " the right one with --server.");
}

}  // namespace rushes::app::cli
