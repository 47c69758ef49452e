#include "api/multipart.h"

#include "base/text.h"

#include <algorithm>
#include <cstring>

namespace rushes::api {
namespace {

constexpr std::size_t kMaxHeadBytes = 8192;
constexpr std::size_t kMaxBoundary = 70;  // RFC 2046, 5.1.1

Error malformed(std::string_view why) {
  return Error::for_user(Errc::malformed, "MULTIPART_MALFORMED",
                         "The form could not be read: " + std::string(why) + ".");
}

/// The value of `key` in `form-data; name="video"; filename="a.mp4"`.
std::optional<std::string> parameter(std::string_view header, std::string_view key) {
  std::size_t at = 0;
  while ((at = header.find(';', at)) != std::string_view::npos) {
    ++at;
    while (at < header.size() && header[at] == ' ') ++at;
    const auto equals = header.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const bool wanted = equals_ignore_case(trim(header.substr(at, equals - at)), key);
    std::string value;
    at = equals + 1;
    if (at < header.size() && header[at] == '"') {
      for (++at; at < header.size() && header[at] != '"'; ++at) {
        if (header[at] == '\\' && at + 1 < header.size() && (header[at + 1] == '"' || header[at + 1] == '\\')) ++at;
        value += header[at];
      }
    } else {
      const auto stop = std::min(header.find(';', at), header.size());
      value = trim(header.substr(at, stop - at));
      at = stop;
    }
    if (wanted) return value;
  }
  return std::nullopt;
}

std::string_view find_line(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto stop = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, stop);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equals_ignore_case(trim(line.substr(0, colon)), name)) {
      return trim(line.substr(colon + 1));
    }
    head.remove_prefix(std::min(stop + 2, head.size()));
  }
  return {};
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (!equals_ignore_case(type, "multipart/form-data")) {
    return Error::for_user(Errc::unsupported, "CONTENT_TYPE",
                           "An upload is sent as multipart/form-data, with the file in the field video.");
  }
  auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary) {
    return malformed("its content type has no usable boundary");
  }
  return std::move(*boundary);
}

MultipartReader::MultipartReader(std::string boundary, Source source, std::size_t most_bytes, Growth may_grow)
    : delimiter_("\r\n--" + std::move(boundary)),
      source_(std::move(source)),
      most_bytes_(most_bytes),
      may_grow_(std::move(may_grow)),
      buffer_(std::min(kFirstBuffer, most_bytes)) {
  // The first boundary has no line before it; with one it looks like the others.
  buffer_[0] = '\r';
  buffer_[1] = '\n';
  end_ = 2;
}

void MultipartReader::grow() {
  const auto wanted = std::min(2 * buffer_.size(), most_bytes_);
  if (wanted > buffer_.size() && (!may_grow_ || may_grow_(wanted))) buffer_.resize(wanted);
}

Task<Result<std::size_t>> MultipartReader::fill() {
  if (end_ == buffer_.size()) grow();  // there may be more than it takes
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  auto got = co_await source_(std::span(buffer_).subspan(end_));
  if (!got) co_return got.error();
  if (*got == 0) co_return malformed("it ends in the middle of a part");
  end_ += *got;
  co_return got;
}

Task<Result<std::string_view>> MultipartReader::read() {
  if (!in_part_) co_return std::string_view();
  for (;;) {
    const auto bytes = buffered();
    const auto found = bytes.find(delimiter_);
    // What may be the start of a delimiter is not given out yet.
    const auto given =
        found != std::string_view::npos ? found : bytes.size() - std::min(bytes.size(), delimiter_.size() - 1);
    if (given > 0) {
      begin_ += given;
      co_return bytes.substr(0, given);
    }
    if (found == 0) {
      in_part_ = false;
      co_return std::string_view();
    }
    const auto filled = co_await fill();
    if (!filled) co_return filled.error();
  }
}

Task<Result<std::optional<PartHead>>> MultipartReader::next_part() {
  if (!started_) {
    // A preamble is allowed (RFC 2046) and means nothing: it is skipped as if it were a part.
    started_ = true;
    in_part_ = true;
  }
  for (;;) {
    const auto skipped = co_await read();
    if (!skipped) co_return skipped.error();
    if (skipped->empty()) break;
  }
  if (finished_) co_return std::optional<PartHead>();

  // At the delimiter: behind it the last dashes, or the end of its line and the part's head.
  std::size_t head_end = std::string_view::npos;
  for (;;) {
    const auto behind = buffered().substr(std::min(buffered().size(), delimiter_.size()));
    if (behind.starts_with("--")) {
      finished_ = true;
      co_return std::optional<PartHead>();
    }
    head_end = behind.find("\r\n\r\n");
    if (head_end != std::string_view::npos) break;
    if (behind.size() > kMaxHeadBytes) co_return malformed("a part's head is too long");
    const auto filled = co_await fill();
    if (!filled) co_return filled.error();
  }
  const auto head = buffered().substr(delimiter_.size(), head_end);
  const auto disposition = find_line(head, "content-disposition");
  auto name = parameter(disposition, "name");
  if (!name) co_return malformed("a part has no name");
  auto file_name = parameter(disposition, "filename");
  PartHead part;
  part.name = std::move(*name);
  part.is_file = file_name.has_value();
  part.file_name = std::move(file_name).value_or(std::string());
  begin_ += delimiter_.size() + head_end + 4;
  in_part_ = true;
  co_return std::optional<PartHead>(std::move(part));
}

}  // namespace rushes::api
