#include "worker/protocol.h"

#include "base/json.h"
#include "base/text.h"

#include <array>

namespace rushes::worker {
namespace {

std::string text_of(const json::object& object, std::string_view key) {
  return string_member(object, key).value_or(std::string());
}

Error malformed(std::string_view what) { return {Errc::malformed, "worker protocol: " + std::string(what)}; }

}  // namespace

std::string encode_length(std::size_t bytes) {
  std::string text(kLengthBytes, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i) text[i] = static_cast<char>(bytes >> (8 * i) & 0xffU);
  return text;
}

Result<std::size_t> decode_length(std::string_view four_bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(four_bytes[i])) << (8 * i);
  }
  if (length > kMaxMessageBytes) return malformed("a message of " + std::to_string(length) + " bytes");
  return length;
}

std::string encode(const pipelines::Order& order) {
  const json::object object{{"job", order.job.value()},
                            {"audit", order.audit.value()},
                            {"type", to_string(order.type)},
                            {"createdAt", to_millis(order.created_at)},
                            {"title", order.title},
                            {"url", order.url},
                            {"input", order.input},
                            {"body", order.body},
                            {"source", order.source.string()},
                            {"scratch", order.scratch.string()},
                            {"output", order.output.string()},
                            {"filesUrl", order.files_url},
                            {"checkpoints", json::value_from(order.checkpoints)}};
  return json::serialize(object);
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
  order.source = text_of(object, "source");
  order.scratch = text_of(object, "scratch");
  order.output = text_of(object, "output");
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
  } else if (const auto* finished = std::get_if<Finished>(&message)) {
    object = {{"kind", "finished"}, {"title", finished->product.title}, {"result", finished->product.result}};
  } else {
    const auto& failure = std::get<Failed>(message).failure;
    object = {
        {"kind", "failed"}, {"code", failure.code}, {"message", failure.message}, {"retryable", failure.retryable}};
  }
  return json::serialize(object);
}

Result<FromWorker> decode_from_worker(std::string_view text) {
  auto value = parse_json(text);
  if (!value || !value->is_object()) return malformed("a message that is not an object");
  auto& object = value->get_object();
  const auto kind = text_of(object, "kind");
  if (kind == "progress") {
    const auto percent = int_member(object, "percent").value_or(-1);
    if (percent < 0 || percent > 100) return malformed("progress out of 0..100");
    Report report;
    report.progress.percent = static_cast<int>(percent);
    report.progress.stage = shorten(text_of(object, "stage"), 200);
    report.progress.message = shorten(text_of(object, "message"), 500);
    report.progress.title = shorten(text_of(object, "title"), 500);
    return FromWorker(std::move(report));
  }
  if (kind == "alive") return FromWorker(Alive());
  if (kind == "checkpoint") {
    Checkpoint checkpoint{text_of(object, "name"), text_of(object, "data")};
    if (checkpoint.name.empty() || checkpoint.name.size() > 100) return malformed("a checkpoint without a name");
    if (checkpoint.data.size() > kMaxCheckpointBytes) return malformed("a checkpoint above its limit");
    return FromWorker(std::move(checkpoint));
  }
  if (kind == "finished") {
    auto* result = object.if_contains("result");
    if (result == nullptr || !result->is_object()) return malformed("an end without a result");
    return FromWorker(Finished{{shorten(text_of(object, "title"), 500), std::move(result->get_object())}});
  }
  if (kind == "failed") {
    const auto* retryable = object.if_contains("retryable");
    return FromWorker(Failed{{shorten(text_of(object, "code"), 100),
                              shorten(text_of(object, "message"), 1000),
                              retryable != nullptr && retryable->is_bool() && retryable->get_bool(),
                              {}}});
  }
  return malformed("an unknown kind of message");
}

}  // namespace rushes::worker
