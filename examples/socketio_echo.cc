// A Socket.IO server: whoever says `message` is echoed, with an acknowledgement where one was asked for,
// and everybody hears who came. Run it, then in a browser's console or in Node:
//   const socket = io("http://localhost:3000"); socket.emit("message", "hello", console.log);
#include "async/run.h"
#include "async/stop_signals.h"
#include "net/http_server.h"
#include "socketio/server.h"

#include <cstdio>
#include <cstdlib>

using namespace rushes;

static Task<> echo(socketio::SocketPtr socket, json::array args, socketio::Ack ack) {
  socket->emit_arguments("message-back", socketio::Arguments::from_array(args));
  ack("heard");
  co_return;
}

int main(int argc, char** argv) {
  SystemClock clock;
  SystemRng rng;
  Shards shards;  // one event loop a core
  net::Router router;
  socketio::Server io(shards, socketio::ServerOptions(), clock, rng);
  io.of("/").on("message", echo);
  io.of("/").on_connection([&io](const socketio::SocketPtr& who) { io.of("/").emit_all("joined", who->id()); });
  io.attach(router);

  net::HttpOptions options;
  if (argc > 2) options.port = static_cast<std::uint16_t>(std::atoi(argv[2]));  // --port N
  net::HttpServer http(shards, router, options);
  const StopSignals signals;
  shards.start();
  const auto port = http.start();
  if (!port) return std::fprintf(stderr, "%s\n", port.error().what().c_str()), 1;
  std::printf("listening on port %d\n", *port);
  std::fflush(stdout);
  signals.wait();
  run_to_end(io.stop());
  run_to_end(http.stop());
  shards.stop();
}
