#pragma once
#include "net/http_server.h"
#include "net/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::net {

/// What we say to a page of another origin.
enum class OriginVerdict : std::uint8_t {
  none,       // no `Origin`: not a browser, or its own page's GET
  allowed,    // with credentials
  anonymous,  // allowed by `*`, without credentials
  refused,
};

OriginVerdict judge_origin(const CorsOptions& options, const Headers& headers);

/// Appends the CORS fields of an answer as lines of an HTTP head.
void write_cors_fields(std::string& head, OriginVerdict verdict, std::string_view origin);

/// Those of an answer to a preflight.
void write_preflight_fields(std::string& head, const Headers& request, std::string_view methods);

}  // namespace rushes::net
