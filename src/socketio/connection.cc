#include "socketio/detail/connection.h"

#include <algorithm>
#include <iterator>
#include <utility>

// g++ 12 pairs Asio's frame allocator with the global one where a coroutine catches around a co_await.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace rushes::socketio::detail {
namespace {

constexpr std::size_t kSocketIdBytes = 15;

}  // namespace

struct Connection::Due final : net::Deadline {
  Due(Connection& connection, Counter& when_late) : owner(connection), late(when_late) {}
  void on_deadline() override {
    late.add(1);
    owner.close();
  }
  Connection& owner;
  Counter& late;
};

Connection::Connection(ServerCore& core, std::size_t shard, engineio::Session& session, Handshake handshake)
    : core_(core), shard_(*core.shards[shard]), session_(&session), handshake_(std::move(handshake)) {
  expect(core.options.connect_timeout, shard_.counts.no_namespace_in_time);
}

Connection::~Connection() = default;

void Connection::expect(std::chrono::milliseconds within, Counter& when_late) {
  due_ = std::make_unique<Due>(*this, when_late);
  shard_.loop->timers().set(*due_, within);
}

void Connection::expect_nothing() { due_.reset(); }

void Connection::send(const EncodedPacket& packet) {
  if (session_ == nullptr) return;
  session_->send(packet.text);
  for (const auto& attachment : packet.attachments) session_->send(attachment);
}

void Connection::close() {
  if (session_ != nullptr) session_->close(engineio::CloseReason::forced_close);
}

void Connection::disconnect() {
  const auto self = shared_from_this();
  const auto all = sockets_;
  for (const auto& socket : all) socket->leave_by_server();
  close();
}

void Connection::refuse_packet(const Error& error) {
  shard_.counts.bad_packets.add(1);
  log::debug("socketio", "bad packet session={} why=\"{}\"", sid(), error.what());
  if (session_ != nullptr) session_->close(engineio::CloseReason::parse_error);
}

void Connection::on_message(std::string_view text) {
  PacketLimits limits;
  limits.max_attachments = core_.options.max_attachments;
  if (incomplete_) return refuse_packet(Error(Errc::malformed, "a text where an attachment is due"));
  auto packet = decode_packet(text, limits);
  if (!packet) return refuse_packet(packet.error());
  if (packet->attachments == 0) return take(std::move(*packet), {});
  if (auto checked = check_placeholders(packet->data, packet->attachments); !checked) {
    return refuse_packet(checked.error());
  }
  incomplete_ = std::make_unique<Incomplete>();
  incomplete_->packet = std::move(*packet);
  incomplete_->bytes = text.size();
  expect(core_.options.attachment_timeout, shard_.counts.attachments_late);
}

void Connection::on_binary(std::string_view bytes) {
  if (!incomplete_) return refuse_packet(Error(Errc::malformed, "an attachment that nothing announced"));
  incomplete_->bytes += bytes.size();
  if (incomplete_->bytes > core_.options.max_payload) {
    return refuse_packet(Error(Errc::too_large, "attachments too large"));
  }
  incomplete_->attachments.emplace_back(bytes);
  if (incomplete_->attachments.size() < incomplete_->packet.attachments) return;
  const auto whole = std::exchange(incomplete_, nullptr);
  expect_nothing();
  take(std::move(whole->packet), std::move(whole->attachments));
}

void Connection::take(Packet packet, std::vector<std::string> attachments) {
  if (packet.type == PacketType::connect) return connect(std::move(packet));
  const auto socket = find(packet.nsp);
  if (!socket) return refuse_packet(Error(Errc::malformed, "a packet for a namespace that was not joined"));
  switch (packet.type) {
    case PacketType::disconnect:
      socket->depart("client namespace disconnect");
      return;
    case PacketType::ack:
    case PacketType::binary_ack:
      socket->take_ack(*packet.id, Event{{}, std::move(packet.data.get_array()), std::move(attachments)});
      return;
    default:
      take_event(std::move(packet), std::move(attachments));
  }
}

void Connection::take_event(Packet packet, std::vector<std::string> attachments) {
  auto socket = find(packet.nsp);
  auto& nsp = socket->nsp();
  counts_of(*socket).events_in.add(1);
  auto& args = packet.data.get_array();
  Event event;
  event.name = std::string_view(args.front().get_string());
  const RawEventHandler* handler = &nsp.any_handler_;
  if (const auto found = nsp.event_handlers_.find(event.name); found != nsp.event_handlers_.end()) {
    handler = &found->second;
  }
  if (!*handler) return;
  auto pass = shard_.gate.try_enter();
  if (!pass) return;
  args.erase(args.begin());
  event.args = std::move(args);
  event.attachments = std::move(attachments);
  Ack ack(socket, packet.id);
  spawn_detached(shard_.loop->executor(), "socketio",
                 run_handler(*handler, std::move(socket), std::move(event), std::move(ack), std::move(*pass)));
}

Task<> Connection::run_handler(const RawEventHandler& handler, SocketPtr socket, Event event, Ack ack,
                               Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto name = event.name;
  const auto who = socket;
  try {
    auto task = handler(std::move(socket), std::move(event), std::move(ack));
    co_await std::move(task);
  } catch (const std::exception& error) {
    log::error("socketio", "a handler threw event={} socket={}: {}", name, who->id(), error.what());
  }
}

void Connection::connect(Packet packet) {
  const auto known = core_.namespaces.find(packet.nsp);
  if (known == core_.namespaces.end()) {
    shard_.counts.unknown_namespaces.add(1);
    return reject(packet.nsp, ConnectError("Invalid namespace"));
  }
  auto& nsp = *known->second;
  const auto is_same = [&nsp](const SocketPtr& socket) { return &socket->nsp() == &nsp; };
  if (find(packet.nsp)) {
    return refuse_packet(Error(Errc::malformed, "a second CONNECT for a namespace that was joined"));
  }
  if (std::any_of(entering_.begin(), entering_.end(), is_same)) return;
  const auto count = sockets_.size() + static_cast<std::size_t>(std::distance(entering_.begin(), entering_.end()));
  if (count >= core_.options.max_namespaces) {
    shard_.counts.too_many_namespaces.add(1);
    return reject(packet.nsp, ConnectError("Too many namespaces"));
  }
  auto pass = shard_.gate.try_enter();
  if (!pass) return;
  auto auth = packet.data.is_object() ? std::move(packet.data.get_object()) : json::object();
  std::optional<Former> former;
  if (auto pid = string_member(auth, "pid"); pid && nsp.recovery_ != nullptr) {
    former = Former{std::move(*pid), string_member(auth, "offset").value_or("")};
  }
  const auto id = core_.rng.token(kSocketIdBytes);
  const auto socket = std::make_shared<Socket>(Socket::Key(), nsp, shared_from_this(), id, std::move(auth));
  if (nsp.middlewares_.empty() && !former) return admit(socket, {}, nullptr);
  entering_.push_front(socket);
  spawn_detached(shard_.loop->executor(), "socketio",
                 enter(shared_from_this(), socket, std::move(former), std::move(*pass)));
}

void Connection::reject(std::string_view nsp, const ConnectError& error) {
  send(encode_connect_error(nsp, error.message, error.data));
}

SocketPtr Connection::find(std::string_view nsp) const {
  for (const auto& socket : sockets_) {
    if (socket->nsp().name() == nsp) return socket;
  }
  return nullptr;
}

void Connection::forget(Socket& socket) {
  const auto is_it = [&socket](const SocketPtr& other) { return other.get() == &socket; };
  sockets_.erase(std::remove_if(sockets_.begin(), sockets_.end(), is_it), sockets_.end());
}

void Connection::on_close(engineio::CloseReason reason) {
  const auto self = shared_from_this();
  session_ = nullptr;
  if (due_) shard_.loop->timers().cancel(*due_);  // which may be the one that calls
  incomplete_.reset();
  for (const auto& socket : std::exchange(sockets_, {})) socket->depart(engineio::to_text(reason));
}

}  // namespace rushes::socketio::detail
