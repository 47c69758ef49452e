#pragma once
#include "api/submission.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace rushes::api {

/// How the items of one request are written.
enum class BulkForm : std::uint8_t { array, lines };

/// By the content type: `application/json` or `application/x-ndjson`. Errors: `unsupported` (CONTENT_TYPE).
Result<BulkForm> bulk_form(const net::Request& request);

/// What a bulk body holds: all its jobs, or why it is refused.
struct Bulk {
  std::vector<jobs::NewJob> jobs;  // in the order of the items
  std::optional<Error> refusal;
  std::optional<std::size_t> refused_item;  // from 0; nothing where the body as a whole is refused
  Unknown unknown;
};

/// Reads one item: `{type?: "video" | "transcript", idempotencyKey?}` and the members of the single submit of that
/// type. Without a type it is a transcript that has one, else a video.
/// `path` is what stands before its members' names in messages.
Result<jobs::NewJob> read_item(const Context& context, const UserId& user, const json::object& item,
                               const std::string& path, Unknown& unknown);

/// Reads 1 to `limits.max_bulk_items` items, as `read_item` does.
Bulk read_bulk(const Context& context, const UserId& user, BulkForm form, std::string_view body);

}  // namespace rushes::api
