#pragma once
#include "histogram.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::bench {

struct SwarmOptions {
  std::uint16_t port = 3000;
  std::size_t sockets = 1000;
  std::size_t users = 0;        ///< socket i belongs to user i mod users; 0: as many as sockets
  std::size_t in_flight = 128;  ///< handshakes under way at once
  std::string secret;           ///< signs the tokens, HS256
  std::string nsp = "/queue";
  std::string event = "queue-update";  ///< counted; its `sentAt` is CLOCK_MONOTONIC in nanoseconds
  double timeout_s = 120;              ///< for all to connect
};

/// What came in while the window was open.
struct Window {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  std::uint64_t reads = 0;
  Histogram latency;  ///< from `sentAt` to the bytes' arrival here
};

/// Socket.IO clients over plain WebSocket, all on one thread: each signs in to a namespace, answers pings and counts
/// events. They connect to 127.0.0.1 only, from addresses 127.0.1.1 to 127.0.1.8 in turn (28,000 ports each).
///
/// Threads: one.
class Swarm {
 public:
  explicit Swarm(SwarmOptions options);
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;
  ~Swarm();

  /// Opens all of them, and waits until each has its namespace. Returns the seconds that it took.
  double connect_all();
  /// Ends all connections at once, as a cut network does.
  void cut_all();
  void run_for(double seconds);
  /// Waits until nothing has come for 300 ms, `most_s` at most.
  void drain(double most_s);

  void open_window() { window_ = std::make_unique<Window>(); }
  Window close_window();

  std::size_t ready() const { return ready_; }
  std::uint64_t total_events() const { return total_events_; }
  std::uint64_t lost() const { return lost_; }
  const std::string& first_error() const { return first_error_; }
  const Histogram& handshakes() const { return handshakes_; }
  /// Events of each connection so far.
  std::vector<std::uint64_t> events_by_socket() const;

 private:
  struct Client;

  void start(std::size_t index);
  bool send_upgrade(Client& client);
  void on_ready_fd(std::size_t index, std::uint32_t events);
  void on_readable(Client& client);
  std::size_t parse(Client& client, std::string_view bytes);
  void on_message(Client& client, std::string_view message);
  void on_event(Client& client, std::string_view message);
  void send_frame(Client& client, std::uint8_t opcode, std::string_view payload);
  void fail(Client& client, std::string_view why);
  void poll(int milliseconds);

  const SwarmOptions options_;
  const std::string upgrade_;
  const std::string event_start_;
  std::vector<std::string> tokens_;
  std::vector<Client> clients_;
  int epoll_ = -1;
  std::vector<char> buffer_;
  std::size_t under_way_ = 0;
  std::size_t ready_ = 0;
  std::uint64_t total_events_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t received_at_ = 0;  // of the bytes being read; 0 until asked for
  std::string first_error_;
  Histogram handshakes_;
  std::unique_ptr<Window> window_;
};

}  // namespace rushes::bench
