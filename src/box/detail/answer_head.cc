#include "box/detail/answer_head.h"

#include "base/text.h"

#include <algorithm>
#include <vector>

namespace rushes::box::detail {
namespace {

Error malformed(std::string_view why) { return {Errc::malformed, std::string(why)}; }

bool is_name(std::string_view name) {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return word || kSigns.find(c) != std::string_view::npos;
  });
}

/// No control characters but tabs: a bare CR is the end of a line to some readers.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

/// The lines of a head, folded ones joined, without their ends and the empty one.
std::vector<std::string> lines_of(std::string_view head) {
  std::vector<std::string> lines;
  while (!head.empty()) {
    const auto end = head.find('\n');
    auto line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) break;
    if (!lines.empty() && (line.front() == ' ' || line.front() == '\t')) {
      lines.back().append(" ").append(trim(line));
    } else {
      lines.emplace_back(line);
    }
  }
  return lines;
}

/// What of a list of codings would have to be unpacked.
void add_packing(std::string& packing, std::string_view codings) {
  while (!codings.empty()) {
    const auto comma = codings.find(',');
    const auto coding = trim(codings.substr(0, comma));
    codings.remove_prefix(comma == std::string_view::npos ? codings.size() : comma + 1);
    if (coding.empty() || equals_ignore_case(coding, "identity") || equals_ignore_case(coding, "chunked")) continue;
    packing.append(packing.empty() ? "" : ", ").append(coding);
  }
}

}  // namespace

Result<AnswerHead> read_answer_head(std::string_view bytes) {
  const auto lines = lines_of(bytes);
  if (lines.empty()) return malformed("no status line");
  const std::string_view status_line = lines.front();
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  // "HTTP/1.1 200 OK"; the reason and the blank before it may be missing.
  const bool http = status_line.starts_with("HTTP/1.") && status_line.size() >= 12 && digit(status_line[7]) &&
                    status_line[8] == ' ' && digit(status_line[9]) && digit(status_line[10]) &&
                    digit(status_line[11]) && (status_line.size() == 12 || status_line[12] == ' ');
  if (!http || !is_plain(status_line)) return malformed("not an HTTP/1 answer");

  AnswerHead head;
  head.status = (status_line[9] - '0') * 100 + (status_line[10] - '0') * 10 + (status_line[11] - '0');
  if (head.status < 100 || head.status == 101) return malformed("a status that the request cannot have");
  head.interim = head.status < 200;
  head.forward.append(status_line).append("\r\n");
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    const auto colon = line->find(':');
    if (colon == std::string::npos) continue;  // readers disagree about what follows such a line: it is left out
    const auto name = trim(std::string_view(*line).substr(0, colon));
    const auto value = trim(std::string_view(*line).substr(colon + 1));
    if (!is_name(name) || !is_plain(value)) continue;
    if (equals_ignore_case(name, "content-encoding") || equals_ignore_case(name, "transfer-encoding")) {
      add_packing(head.packing, value);
    }
    head.forward.append(name).append(": ").append(value).append("\r\n");
  }
  head.forward.append("\r\n");
  return head;
}

std::size_t answer_head_length(std::string_view bytes) noexcept {
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n', end + 1)) {
    const auto next = bytes.substr(end + 1);
    if (next.starts_with('\n')) return end + 2;
    if (next.starts_with("\r\n")) return end + 3;
  }
  return 0;
}

}  // namespace rushes::box::detail
