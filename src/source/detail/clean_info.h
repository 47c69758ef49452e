#pragma once
#include "base/json.h"
#include "net/address_filter.h"

namespace rushes::source::detail {

/// Takes out of what `yt-dlp -J` printed all that must not be handed back to it with --load-info-json:
/// * `http_headers` and `cookies`, wherever they are: a page can smuggle headers that yt-dlp takes for options;
/// * every format, track and thumbnail with an address that is not plain http or https, names a private literal address
/// or
///   carries smuggled options (`#__youtubedl_smuggle`), and every other such member.
/// The check is syntactic; where a connection really leads is the door's to decide.
///
/// `webpage_url` loses its fragment: extractors of embedded players smuggle there themselves.
/// Errors: of `AddressFilter::check_url`, when `webpage_url` or all formats are refused.
Result<void> clean_info(json::object& info, const net::AddressFilter& filter);

}  // namespace rushes::source::detail
