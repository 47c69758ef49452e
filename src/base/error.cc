#include "base/result.h"

#include <array>
#include <stdexcept>

namespace rushes {
namespace {

struct ErrcRow {
  Errc code;
  int http_status;
  std::string_view name;
  std::string_view message;
  bool retryable;
};

constexpr std::array kErrcTable{
    ErrcRow{Errc::malformed, 400, "MALFORMED", "The request could not be read.", false},
    ErrcRow{Errc::invalid_argument, 422, "INVALID", "A value of the request is not allowed.", false},
    ErrcRow{Errc::unauthenticated, 401, "UNAUTHENTICATED", "A valid token is needed.", false},
    ErrcRow{Errc::forbidden, 403, "FORBIDDEN", "This token does not allow that.", false},
    ErrcRow{Errc::not_found, 404, "NOT_FOUND", "There is no such thing.", false},
    ErrcRow{Errc::conflict, 409, "CONFLICT", "The state does not allow that.", false},
    ErrcRow{Errc::lease_lost, 409, "LEASE_LOST", "Another worker has taken over.", false},
    ErrcRow{Errc::too_large, 413, "TOO_LARGE", "The request is too large.", false},
    ErrcRow{Errc::unsupported, 415, "UNSUPPORTED", "This format is not supported.", false},
    ErrcRow{Errc::exhausted, 429, "LIMIT_REACHED", "A limit is reached; try again later.", true},
    ErrcRow{Errc::unavailable, 503, "UNAVAILABLE", "The service is not available; try again later.", true},
    ErrcRow{Errc::timed_out, 504, "TIMED_OUT", "It took too long.", true},
    ErrcRow{Errc::cancelled, 409, "CANCELLED", "It was cancelled.", false},
    ErrcRow{Errc::internal, 500, "INTERNAL", "Something went wrong on the server.", false},
};

const ErrcRow& row_of(Errc code) noexcept { return kErrcTable[static_cast<std::size_t>(code)]; }

constexpr bool in_order() {
  for (std::size_t i = 0; i < kErrcTable.size(); ++i) {
    if (static_cast<std::size_t>(kErrcTable[i].code) != i) return false;
  }
  return kErrcTable.size() == static_cast<std::size_t>(Errc::internal) + 1;
}
static_assert(in_order(), "one row for each Errc, in the order of the enum");

}  // namespace

Error Error::for_user(Errc code, std::string name, std::string message) {
  Error error(code, std::move(message));
  error.name_ = std::move(name);
  return error;
}

std::string_view Error::public_name() const noexcept { return name_.empty() ? row_of(code_).name : name_; }

std::string_view Error::public_message() const noexcept {
  return name_.empty() ? row_of(code_).message : std::string_view(what_);
}

bool Error::retryable() const noexcept { return row_of(code_).retryable; }

int Error::http_status() const noexcept { return row_of(code_).http_status; }

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::runtime_error(std::string(error.public_name()) + ": " + error.what() + " (" + where.file_name() + ":" +
                           std::to_string(where.line()) + ")");
}

}  // namespace rushes
