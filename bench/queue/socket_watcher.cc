#include "queue/socket_watcher.h"

#include "base/json.h"
#include "realtime/load/process.h"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

namespace rushes::bench {

namespace asio = boost::asio;

SocketWatcher::SocketWatcher(std::uint16_t port, const std::string& token) : socket_(io_) {
  auto& tcp = socket_.next_layer();
  tcp.connect({asio::ip::address_v4::loopback(), port});
  tcp.set_option(asio::ip::tcp::no_delay(true));
  socket_.handshake("127.0.0.1", "/socket.io/?EIO=4&transport=websocket");
  read();  // the open packet
  socket_.write(asio::buffer(R"(40/queue,{"token":")" + token + R"("})"));
  if (const auto answer = read(); !answer.starts_with("40/queue")) throw std::runtime_error("refused: " + answer);
  reader_ = std::thread([this] { read_all(); });
}

SocketWatcher::~SocketWatcher() {
  ::shutdown(socket_.next_layer().native_handle(), SHUT_RDWR);
  reader_.join();
}

std::string SocketWatcher::read() {
  boost::beast::flat_buffer buffer;
  socket_.read(buffer);
  return boost::beast::buffers_to_string(buffer.data());
}

void SocketWatcher::read_all() {
  static constexpr std::string_view kNamespace = "42/queue,";
  static constexpr std::string_view kEvent = R"(42/queue,["queue-update",)";
  try {
    for (;;) {
      const auto message = read();
      const auto at = monotonic_ns();
      if (message == "2") socket_.write(asio::buffer("3", 1));
      if (message.starts_with(kEvent)) note(std::string_view(message).substr(kNamespace.size()), at);
    }
  } catch (const boost::system::system_error&) {  // shut down
  }
}

void SocketWatcher::note(std::string_view event, std::uint64_t at) {
  const auto parsed = parse_json(event);
  if (!parsed || !parsed->is_array() || parsed->as_array().size() < 2) return;
  const auto& payload = parsed->as_array()[1].as_object();
  auto job = string_member(payload, "jobId").value_or("");
  auto type = string_member(payload, "eventType").value_or("");
  {
    const std::lock_guard lock(mutex_);
    arrivals_.try_emplace({std::move(job), std::move(type)}, at);
  }
  came_.notify_all();
}

std::uint64_t SocketWatcher::arrival(const std::string& job, const std::string& type) {
  const std::pair key(job, type);
  std::unique_lock lock(mutex_);
  if (!came_.wait_for(lock, std::chrono::seconds(30), [&] { return arrivals_.contains(key); })) {
    throw std::runtime_error("no " + type + " of job " + job + " came");
  }
  return arrivals_.at(key);
}

}  // namespace rushes::bench
