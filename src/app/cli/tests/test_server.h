#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace rushes::app::cli {

/// A server on a free port of 127.0.0.1 that handles `connections` connections, one after another, with `serve`,
/// in a thread of its own.
class TestServer {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  TestServer(int connections, std::function<void(Socket socket, int number)> serve)
      : thread_([this, connections, serve = std::move(serve)] {
          for (int number = 0; number < connections; ++number) {
            boost::system::error_code failed;
            auto socket = acceptor_.accept(failed);
            if (failed) return;
            serve(std::move(socket), number);
          }
        }) {}
  ~TestServer() {
    // A connection that the client never made: the thread is waiting in accept.
    boost::system::error_code ignored;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
    acceptor_.close(ignored);
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

 private:
  boost::asio::io_context loop_;
  boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

}  // namespace rushes::app::cli
