#pragma once
#include "async/gate.h"
#include "net/async_socket.h"
#include "net/body_budget.h"
#include "net/head_parser.h"
#include "net/http_server.h"
#include "net/timers.h"
#include "net/waiting_list.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace rushes::net {

class HttpConnection;

/// What the HTTP connections of one shard share.
///
/// Threads: its shard's.
struct HttpShard {
  explicit HttpShard(boost::asio::io_context& context)
      : loop(std::make_shared<Loop>(context)), gate(loop->executor()) {}

  const std::shared_ptr<Loop> loop;
  HttpCounts counts;
  Gate gate;
  std::set<HttpConnection*> connections;
  // Those that wait for their clients, which may be closed for others: with no request under way, and in a body.
  WaitingList idle;
  WaitingList in_body;
  bool stopping = false;
};

/// What all connections of a server share.
///
/// Threads: immutable, or thread-safe.
struct HttpShared {
  HttpShared(const Router& routes, HttpOptions settings)
      : router(routes),
        options(std::move(settings)),
        entry(options.entry),
        addresses(std::make_shared<AddressBook>(options.limits.per_address)),
        bodies(options.limits.max_body_memory) {}

  const Router& router;
  const HttpOptions options;
  EntryRules entry;
  const std::shared_ptr<AddressBook> addresses;
  BodyBudget bodies;
  std::atomic<std::size_t> connections{0};
};

/// A problem document for a status that the protocol asks for (408, 413, 431, …) and one sentence.
Response status_problem(int status, std::string_view why);

/// One HTTP/1.1 connection from its accept to its end, or until an upgrade takes the socket.
///
/// Threads:   its shard's.
/// Lifetime:  shared by its own task and by a watch for the peer's leaving.
class HttpConnection final : public std::enable_shared_from_this<HttpConnection>, Deadline, WaitingConnection {
 public:
  HttpConnection(std::shared_ptr<HttpShared> shared, HttpShard& shard, FileDescriptor socket, std::string peer_address,
                 AddressLease lease);
  ~HttpConnection() override;

  /// Serves requests until one side has enough.
  static Task<> run(std::shared_ptr<HttpConnection> self, Gate::Pass pass);
  /// Ends the connection once it is between two requests: now, or after the present answer.
  void wind_down();
  /// Ends it now.
  void cut();

 private:
  class Body;
  enum class Next : std::uint8_t { keep, close, linger, detached };

  void on_deadline() override;
  bool close_for_another() override;

  Task<> serve();
  Task<HeadOutcome> read_head();
  Task<Next> handle(RequestHead head, std::optional<Response> refusal);
  Task<Next> upgrade(RequestHead head, const UpgradeHandler& handler);
  Task<Next> dispatch(RequestHead head, const Router::Route& route);
  Task<Response> call(const Router::Route& route);
  Task<Next> answer(Response response, bool keep_alive);
  Task<Next> answer_stream(Response response, bool keep_alive);
  Task<bool> write_pieces(BodySource& source);
  Task<bool> write_file(FileBody file, std::uint64_t length);
  Task<Next> linger_after(Response response);
  Task<> linger();

  bool may_compress(const Response& response, std::size_t size) const;
  /// Without a size the body comes in chunks.
  void write_head(const Response& response, std::optional<std::uint64_t> body_size, bool keep_alive);
  /// The head that was written, by itself. Whether it is gone.
  Task<bool> send_head();
  /// Writes what the socket takes at once; the rest, over both parts, is left in them.
  bool try_write(std::string_view& first, std::string_view& second);
  Task<bool> write_rest(std::string_view first, std::string_view second);
  /// Reads at most `into.size()` bytes; 0 at the end, on an error and past the deadline.
  Task<std::size_t> read_some(std::span<char> into);
  /// Drops what was consumed.
  void make_room();
  enum class Input : std::uint8_t { came, none, ended };
  /// Reads what there is behind `input`, at most a buffer of it.
  Input take_input(std::span<char> buffer);
  void await_body(TimePoint since) { shard_.in_body.enter(*this, since); }
  void end_wait() { WaitingList::leave(*this); }
  std::string_view input() const noexcept { return std::string_view(in_).substr(in_first_); }
  void consume(std::size_t bytes) noexcept;
  void watch_peer(std::function<void()> gone);
  void end_watch();
  void reset_request();
  void drop_body();
  /// Sets the deadline of a head, and lets the connection be closed for another meanwhile.
  void await_head(std::chrono::milliseconds at_most);
  void set_deadline(std::chrono::milliseconds from_now) { shard_.loop->timers().set(*this, from_now); }
  void clear_deadline() { shard_.loop->timers().set(*this, TimePoint::max()); }

  const std::shared_ptr<HttpShared> shared_;
  HttpShard& shard_;
  AsyncSocket socket_;
  const std::string peer_address_;
  AddressLease lease_;
  Request request_;
  std::string in_;  // read and not consumed: from in_first_ on
  std::size_t in_first_ = 0;
  std::string out_;
  OriginVerdict origin_ = OriginVerdict::none;
  std::function<void()> gone_;
  BodySource* streaming_ = nullptr;  // whose pieces are being written
  std::uint64_t request_number_ = 0;
  bool http_1_0_ = false;
  bool idle_ = true;
  bool timed_out_ = false;
  bool winding_down_ = false;
  bool lingering_ = false;
};

}  // namespace rushes::net
