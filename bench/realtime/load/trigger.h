#pragma once
#include <cstdint>
#include <future>
#include <string>

namespace rushes::bench {

/// `GET http://127.0.0.1:port/path` on a thread of its own: the body of the answer, or an exception.
std::future<std::string> trigger(std::uint16_t port, const std::string& path);

}  // namespace rushes::bench
