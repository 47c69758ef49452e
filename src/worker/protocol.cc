#include "worker/protocol.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"

#include <algorithm>

namespace rushes::worker {
namespace {

std::string text_of(const json::object& object, std::string_view key) {
  return string_member(object, key).value_or(std::string());
}

int descriptor_of(const json::object& object, std::string_view key) {
  return static_cast<int>(int_member(object, key).value_or(-1));
}

Error malformed(std::string_view what) { return {Errc::malformed, "worker protocol: " + std::string(what)}; }

/// Each value of a text becomes an object of ours, many times as large as it is written. Counts them before: what parts
/// them, or opens a list of them.
bool has_too_many_values(std::string_view text) noexcept {
  std::size_t values = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == '[' || c == '{')) {
      ++values;
    }
  }
  return values > kMaxValues;
}

/// A code as ours are: it goes into logs and labels, where another might look like more than it is.
bool is_code(std::string_view code) noexcept {
  return !code.empty() && code.size() <= 64 && std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Words for people, on one line.
std::string line_of(const json::object& object, std::string_view key, std::size_t max_bytes) {
  auto text = shorten(text_of(object, key), max_bytes);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return text;
}

}  // namespace

std::string encode(const pipelines::Order& order) {
  const json::object object{{"job", order.job.value()},
                            {"audit", order.audit.value()},
                            {"type", to_string(order.type)},
                            {"createdAt", to_millis(order.created_at)},
                            {"title", order.title},
                            {"url", order.url},
                            {"input", order.input},
                            {"body", order.body},
                            {"source", order.source},
                            {"record", order.record},
                            {"audio", order.audio},
                            {"picture", order.picture},
                            {"door", order.door},
                            {"cookies", order.cookies},
                            {"filesUrl", order.files_url},
                            {"checkpoints", json::value_from(order.checkpoints)}};
  return to_json_text(object);
}

Result<pipelines::Order> decode_order(std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return malformed("an order that is not an object");
  const auto& object = value->get_object();
  const auto type = jobs::parse_job_type(text_of(object, "type"));
  if (!type) return type.error();
  pipelines::Order order;
  order.job = JobId(text_of(object, "job"));
  order.audit = AuditId(text_of(object, "audit"));
  order.type = *type;
  order.created_at = from_millis(int_member(object, "createdAt").value_or(0));
  order.title = text_of(object, "title");
  order.url = text_of(object, "url");
  if (const auto* input = object.if_contains("input"); input != nullptr && input->is_object()) {
    order.input = input->get_object();
  }
  order.body = text_of(object, "body");
  order.source = descriptor_of(object, "source");
  if (const auto* record = object.if_contains("record"); record != nullptr && record->is_object()) {
    order.record = record->get_object();
  }
  order.audio = descriptor_of(object, "audio");
  order.picture = descriptor_of(object, "picture");
  order.door = text_of(object, "door");
  order.cookies = text_of(object, "cookies");
  order.files_url = text_of(object, "filesUrl");
  if (const auto* kept = object.if_contains("checkpoints"); kept != nullptr && kept->is_object()) {
    for (const auto& [name, data] : kept->get_object()) {
      if (data.is_string()) order.checkpoints.emplace(name, data.get_string());
    }
  }
  return order;
}

std::string encode(const FromWorker& message) {
  json::object object;
  if (const auto* report = std::get_if<Report>(&message)) {
    const auto& progress = report->progress;
    object = {{"kind", "progress"},
              {"percent", progress.percent},
              {"stage", progress.stage},
              {"message", progress.message},
              {"title", progress.title}};
  } else if (std::holds_alternative<Alive>(message)) {
    object = {{"kind", "alive"}};
  } else if (const auto* checkpoint = std::get_if<Checkpoint>(&message)) {
    object = {{"kind", "checkpoint"}, {"name", checkpoint->name}, {"data", checkpoint->data}};
  } else if (const auto* fetch = std::get_if<Fetched>(&message)) {
    const auto& fetched = fetch->fetched;
    object = {{"kind", "fetched"}, {"record", fetched.record}, {"audio", fetched.audio}, {"picture", fetched.picture}};
  } else if (const auto* finished = std::get_if<Finished>(&message)) {
    object = {{"kind", "finished"}, {"title", finished->product.title}, {"result", finished->product.result}};
  } else {
    const auto& failure = std::get<Failed>(message).failure;
    object = {
        {"kind", "failed"}, {"code", failure.code}, {"message", failure.message}, {"retryable", failure.retryable}};
  }
  return to_json_text(object);
}

Result<FromWorker> decode_from_worker(std::string_view text) {
  if (has_too_many_values(text)) return malformed("a message of too many values");
  auto value = parse_json(text);
  if (!value || !value->is_object()) return malformed("a message that is not an object");
  auto& object = value->get_object();
  const auto kind = text_of(object, "kind");
  if (kind == "progress") {
    const auto percent = int_member(object, "percent").value_or(-1);
    if (percent < 0 || percent > 100) return malformed("progress out of 0..100");
    Report report;
    report.progress.percent = static_cast<int>(percent);
    report.progress.stage = line_of(object, "stage", 200);
    report.progress.message = line_of(object, "message", 500);
    report.progress.title = line_of(object, "title", 500);
    return FromWorker(std::move(report));
  }
  if (kind == "alive") return FromWorker(Alive());
  if (kind == "checkpoint") {
    Checkpoint checkpoint{text_of(object, "name"), text_of(object, "data")};
    if (checkpoint.name.empty() || checkpoint.name.size() > 100) return malformed("a checkpoint without a name");
    if (checkpoint.data.size() > kMaxCheckpointBytes) return malformed("a checkpoint above its limit");
    return FromWorker(std::move(checkpoint));
  }
  if (kind == "fetched") {
    auto* record = object.if_contains("record");
    if (record == nullptr || !record->is_object()) return malformed("a fetch without a record");
    return FromWorker(Fetched{{std::move(record->get_object()), text_of(object, "audio"), text_of(object, "picture")}});
  }
  if (kind == "finished") {
    auto* result = object.if_contains("result");
    if (result == nullptr || !result->is_object()) return malformed("an end without a result");
    return FromWorker(Finished{{line_of(object, "title", 500), std::move(result->get_object())}});
  }
  if (kind == "failed") {
    const auto* retryable = object.if_contains("retryable");
    auto code = text_of(object, "code");
    if (!is_code(code)) return malformed("a failure without a code");
    return FromWorker(Failed{{std::move(code),
                              line_of(object, "message", 1000),
                              retryable != nullptr && retryable->is_bool() && retryable->get_bool(),
                              {}}});
  }
  return malformed("an unknown kind of message");
}

}  // namespace rushes::worker
