#pragma once
#include <span>
#include <string>
#include <string_view>

namespace rushes::source {

/// Of an operator's cookie jar (Netscape format) what a job may use whose URL names `url_host`: the lines whose domain
/// is one of `hosts` or below one of them. Empty when `url_host` itself is not, so that no other page of a user's is
/// fetched with the operator's account. Lines that cannot be read without doubt are left out. Hosts are compared
/// without regard to case; a leading dot is ignored.
std::string cookies_for(std::string_view jar, std::span<const std::string> hosts, std::string_view url_host);

/// Whether a yt-dlp of this version ("2023.11.14", as `--version` prints it) may be given cookies. Older ones send them
/// to whichever host a page redirects to (CVE-2023-35934), and take options from a page's addresses
/// (CVE-2023-46121). False also for a version that cannot be read.
bool takes_cookies(std::string_view version) noexcept;

/// The first version that may.
inline constexpr std::string_view kFirstWithCookies = "2023.11.14";

}  // namespace rushes::source
