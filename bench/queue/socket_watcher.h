#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace rushes::bench {

/// A signed-in socket of `/queue` that notes when each `queue-update` came: before it is even read as JSON.
///
/// Threads: thread-safe; it reads on a thread of its own.
/// Errors:  throws std::exception where the server does not let it in.
class SocketWatcher {
 public:
  SocketWatcher(std::uint16_t port, const std::string& token);
  SocketWatcher(const SocketWatcher&) = delete;
  SocketWatcher& operator=(const SocketWatcher&) = delete;
  ~SocketWatcher();

  /// When the event of this type (`job-started`) and job came, CLOCK_MONOTONIC in nanoseconds. Waits for it, 30 s at
  /// most; then throws.
  std::uint64_t arrival(const std::string& job, const std::string& type);

 private:
  std::string read();
  void read_all();
  void note(std::string_view event, std::uint64_t at);

  boost::asio::io_context io_;
  boost::beast::websocket::stream<boost::asio::ip::tcp::socket> socket_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> arrivals_;  // by job and type
  std::thread reader_;
};

}  // namespace rushes::bench
