#include "api/bulk.h"

#include "base/text.h"
#include "jobs/job_json.h"

#include <algorithm>
#include <memory>
#include <unordered_set>

namespace rushes::api {
namespace {

constexpr std::size_t kMostNamed = 16;

std::string item_words(std::size_t index) { return "Item " + std::to_string(index) + ": "; }

/// The lines with something in them.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto line = trim(text.substr(0, text.find('\n')));
    text.remove_prefix(
        std::min(text.size(), text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') + 1));
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::optional<Error> bad_count(const Context& context, std::size_t items) {
  const auto per_minute = context.jobs.limits().submits_per_minute;
  auto most = context.limits.max_bulk_items;
  if (per_minute > 0) most = std::min(most, static_cast<std::size_t>(per_minute));
  if (items == 0) return Error::for_user(Errc::invalid_argument, "BULK_EMPTY", "The body has no item.");
  if (items <= most) return std::nullopt;
  return Error::for_user(Errc::too_large, "BULK_TOO_LARGE",
                         "The body has " + std::to_string(items) + " items; at most " + std::to_string(most) +
                             " are taken at once. Send them in parts.");
}

/// Reads items one by one; `item_at` gives a JSON value or an error.
template <class ItemAt>
Bulk read_items(const Context& context, const UserId& user, std::size_t count, ItemAt item_at) {
  Bulk bulk;
  bulk.refusal = bad_count(context, count);
  if (bulk.refusal) return bulk;
  bulk.jobs.reserve(count);
  const auto refuse = [&](std::size_t index, const Error& why) {
    bulk.jobs.clear();
    bulk.refused_item = index;
    bulk.refusal = Error::for_user(why.code(), std::string(why.public_name()),
                                   item_words(index) + std::string(why.public_message()));
    return std::move(bulk);
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Result<const json::value*> item = item_at(i);
    if (!item) return refuse(i, item.error());
    if (!(*item)->is_object()) {
      return refuse(i, Error::for_user(Errc::malformed, "NOT_JSON", shown(**item) + " is not a JSON object."));
    }
    Unknown unknown;
    auto job = read_item(context, user, (*item)->get_object(), "", unknown);
    if (!job) return refuse(i, job.error());
    for (auto& sentence : unknown) {
      if (bulk.unknown.size() < kMostNamed) bulk.unknown.push_back(item_words(i) + sentence);
    }
    bulk.jobs.push_back(std::move(*job));
  }
  return bulk;
}

Bulk read_array(const Context& context, const UserId& user, std::string_view body) {
  const auto refused = [](const std::string& why) {
    Bulk bulk;
    bulk.refusal = Error::for_user(Errc::malformed, "NOT_JSON", "The body is " + why + ".");
    return bulk;
  };
  const auto value = parse_json(body);
  if (!value) return refused(value.error().what());
  if (!value->is_array()) return refused("not a JSON array");
  const auto& items = value->get_array();
  return read_items(context, user, items.size(),
                    [&](std::size_t i) -> Result<const json::value*> { return &items[i]; });
}

Bulk read_lines(const Context& context, const UserId& user, std::string_view body) {
  const auto lines = lines_of(body);
  json::value item;
  return read_items(context, user, lines.size(), [&](std::size_t i) -> Result<const json::value*> {
    auto value = parse_json(lines[i]);
    if (!value) return Error::for_user(Errc::malformed, "NOT_JSON", "The line is " + value.error().what() + ".");
    item = std::move(*value);
    return &item;
  });
}

net::Response refusal_of(const Bulk& bulk) {
  json::object more;
  if (bulk.refused_item) more["index"] = *bulk.refused_item;
  return net::problem(*bulk.refusal, more);
}

net::Response item_refused(std::size_t index) {
  const auto error = key_reused("the idempotencyKey of this item");
  const json::object more{{"index", index}};
  return net::problem(Error::for_user(error.code(), std::string(error.public_name()),
                                      item_words(index) + std::string(error.public_message())),
                      more);
}

/// Each key once, though several items may have it. Nothing where another request has one of them.
std::optional<std::vector<queue::KeyHolds::Hold>> hold_keys(const Context& context,
                                                            const std::vector<jobs::NewJob>& jobs) {
  std::vector<queue::KeyHolds::Hold> holds;
  std::unordered_set<std::string_view> mine;
  for (const auto& job : jobs) {
    if (job.idempotency_key.empty() || !mine.insert(job.idempotency_key).second) continue;
    auto hold = context.jobs.hold_key(job.user, job.idempotency_key);
    if (!hold) return std::nullopt;
    holds.push_back(std::move(*hold));
  }
  return holds;
}

net::Response answer_of(const std::vector<jobs::Submission>& submitted) {
  std::string answers;
  for (const auto& one : submitted) answers += (answers.empty() ? "" : ",") + jobs::submit_answer(one.job);
  return net::json_text_response(201, R"({"jobs":[)" + answers + "]}");
}

Task<net::Response> submit_bulk(const Context& context, net::Request& request, auth::Identity identity) {
  const auto form = bulk_form(request);
  if (!form) co_return net::problem(form.error());
  const auto whole = co_await request.read_body();
  if (!whole) co_return net::problem(whole.error());
  // Megabytes of JSON: not on the event loop.
  auto read = [&context, &identity, form = *form, &body = request.body] {
    return read_bulk(context, identity.user, form, body);
  };
  auto bulk = co_await context.blocking.run(std::move(read));
  if (bulk.refusal) co_return refusal_of(bulk);
  if (auto allowed = allow_unknown(request, std::move(bulk.unknown)); !allowed) co_return net::problem(allowed.error());
  const auto holds = hold_keys(context, bulk.jobs);
  if (!holds) co_return key_in_use("an item's idempotencyKey", std::chrono::seconds(1));
  auto charge = context.jobs.charge(identity.user, static_cast<int>(bulk.jobs.size()));
  // Not even looked up by their keys: that would be thousands of look-ups of the writer's for each 429.
  if (charge.wait()) co_return over_rate(context, *charge.wait());
  const auto submitted = co_await context.jobs.submit_all(std::move(bulk.jobs));
  if (!submitted) co_return net::problem(submitted.error());
  const auto reused = std::find_if(submitted->begin(), submitted->end(), [](const auto& one) { return one.reused; });
  if (reused != submitted->end()) co_return item_refused(static_cast<std::size_t>(reused - submitted->begin()));
  const auto added = std::count_if(submitted->begin(), submitted->end(), [](const auto& one) { return !one.existed; });
  charge.keep(static_cast<int>(added));
  co_return answer_of(*submitted);
}

}  // namespace

Result<BulkForm> bulk_form(const net::Request& request) {
  const auto header = request.headers.get("content-type");
  const auto type = trim(header.substr(0, header.find(';')));
  if (auto charset = check_charset(header); !charset) return charset.error();
  if (equals_ignore_case(type, "application/json")) return BulkForm::array;
  if (equals_ignore_case(type, "application/x-ndjson")) return BulkForm::lines;
  return Error::for_user(Errc::unsupported, "CONTENT_TYPE",
                         "The body must be a JSON array, sent as application/json, or lines of JSON, sent as "
                         "application/x-ndjson; this one is '" +
                             shorten(type, 80) + "'.");
}

Result<jobs::NewJob> read_item(const Context& context, const UserId& user, const json::object& item,
                               const std::string& path, Unknown& unknown) {
  const auto* named = item.if_contains("type");
  const bool untyped = named == nullptr || named->is_null();
  const auto type = untyped ? std::string(item.contains("transcript") ? "transcript" : "video")
                            : string_member(item, "type").value_or("");
  if (type != "video" && type != "transcript") {
    return Error::for_user(
        Errc::invalid_argument, "ITEM_TYPE",
        "type " + shown(*named) +
            " is not taken here; allowed: \"video\", \"transcript\". Send files to /analyze/upload.");
  }
  Names known{"type", "configuration", "options", "idempotencyKey"};
  if (type == "transcript") known.emplace_back("transcript");
  const Members members(item, "BODY_INVALID", path, known, unknown);
  auto job =
      type == "video" ? read_video(context, user, members, unknown) : read_transcript(context, user, members, unknown);
  if (!job) return job;
  if (const auto* key = members.find("idempotencyKey")) {
    if (!key->is_string()) {
      return Error::for_user(Errc::invalid_argument, "IDEMPOTENCY_KEY",
                             path + "idempotencyKey " + shown(*key) + " is not a text.");
    }
    if (auto set = set_idempotency_key(key->get_string(), *job); !set) return set.error();
  }
  return job;
}

Bulk read_bulk(const Context& context, const UserId& user, BulkForm form, std::string_view body) {
  return form == BulkForm::array ? read_array(context, user, body) : read_lines(context, user, body);
}

void add_bulk_route(net::Router& router, const Context& context) {
  net::RouteOptions options;
  options.max_body = context.limits.max_bulk_bytes;
  router.add("POST", "/analyze/bulk", with_user(context, bound(context, submit_bulk)), options);
}

}  // namespace rushes::api
