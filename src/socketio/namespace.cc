#include "socketio/namespace.h"

#include "socketio/local_adapter.h"
#include "socketio/server.h"

#include <stdexcept>
#include <utility>

namespace rushes::socketio {
namespace {

// Above all ids that a socket's own questions have, below what a JavaScript number holds exactly.
constexpr std::uint64_t kFirstQuestion = 1ULL << 48U;

/// The handler that gets the arguments only.
Task<> without_name(const EventHandler& handler, SocketPtr socket, Event event, Ack ack) {
  auto task = handler(std::move(socket), std::move(event.args), std::move(ack));
  co_await std::move(task);
}

}  // namespace

Namespace::Namespace(std::string name, const std::vector<std::shared_ptr<net::Loop>>& loops)
    : name_(std::move(name)),
      loops_(loops),
      counts_(loops.size()),
      local_(std::make_unique<LocalAdapter>(loops)),
      adapter_(local_.get()) {}

Namespace::~Namespace() = default;

void Namespace::use(Middleware middleware) { middlewares_.push_back(std::move(middleware)); }

void Namespace::recover_with(Recovery& recovery) { recovery_ = &recovery; }

void Namespace::on_connection(std::function<void(const SocketPtr&)> handler) {
  connection_handlers_.push_back(std::move(handler));
}

void Namespace::on_disconnect(std::function<void(const SocketPtr&, std::string_view)> handler) {
  disconnect_handlers_.push_back(std::move(handler));
}

void Namespace::on(std::string event, EventHandler handler) {
  // Shared, since the function may be copied and the task refers to it; it lives as long as the namespace.
  auto shared = std::make_shared<const EventHandler>(std::move(handler));
  on_raw(std::move(event), [shared](SocketPtr socket, Event what, Ack ack) {
    return without_name(*shared, std::move(socket), std::move(what), std::move(ack));
  });
}

void Namespace::on_raw(std::string event, RawEventHandler handler) {
  if (is_reserved_event(event)) throw std::logic_error("the event " + event + " is Socket.IO's own");
  if (!event_handlers_.emplace(event, std::move(handler)).second) {
    throw std::logic_error("the event " + event + " has a handler already");
  }
}

void Namespace::on_server_side(std::function<void(const Event&)> handler) { server_handler_ = std::move(handler); }

void Namespace::take_from_server(const Event& event) const {
  if (server_handler_) server_handler_(event);
}

Adapter& Namespace::local_adapter() noexcept { return *local_; }

void Namespace::on_any(RawEventHandler handler) { any_handler_ = std::move(handler); }

Broadcast Namespace::all() { return Broadcast(*this); }

Broadcast Namespace::to(std::string room) {
  Broadcast members(*this);
  members.selection_.rooms.push_back(std::move(room));
  return members;
}

Broadcast Namespace::except(std::string room) { return all().except(std::move(room)); }

Broadcast Broadcast::to(std::string room) const& { return Broadcast(*this).to(std::move(room)); }

Broadcast Broadcast::to(std::string room) && {
  selection_.rooms.push_back(std::move(room));
  return std::move(*this);
}

Broadcast Broadcast::except(std::string room) const& { return Broadcast(*this).except(std::move(room)); }

Broadcast Broadcast::except(std::string room) && {
  selection_.except.push_back(std::move(room));
  return std::move(*this);
}

Broadcast Broadcast::volatile_() const {
  auto droppable = *this;
  droppable.selection_.droppable = true;
  return droppable;
}

Broadcast Broadcast::replacing(std::uint64_t topic) const {
  auto newest = *this;
  newest.topic_ = topic;
  return newest;
}

Broadcast Broadcast::logged(std::uint64_t order) const {
  auto in_log = *this;
  in_log.order_ = order;
  return in_log;
}

bool Broadcast::may_reach() const { return namespace_->adapter_->may_reach(selection_); }

void Broadcast::emit_arguments(std::string_view event, const Arguments& args) const {
  OutgoingEvent outgoing{event, args, encode_event(namespace_->name(), event, args, std::nullopt, topic_)};
  outgoing.encoded.order = order_;
  namespace_->adapter_->broadcast(selection_, outgoing);
}

Task<BroadcastAnswers> Broadcast::emit_with_ack(std::string event, Arguments args,
                                                std::chrono::milliseconds timeout) const {
  const auto id = kFirstQuestion + namespace_->next_question_.fetch_add(1, std::memory_order_relaxed);
  auto packet = encode_event(namespace_->name(), event, args, id);
  return namespace_->adapter_->broadcast_with_ack(selection_, std::move(packet), id, timeout);
}

void Broadcast::disconnect(bool close_transport) const {
  namespace_->adapter_->disconnect(selection_, close_transport);
}

void Broadcast::join(std::string room) const { namespace_->adapter_->join(selection_, std::move(room)); }

void Broadcast::leave(std::string room) const { namespace_->adapter_->leave(selection_, std::move(room)); }

Task<std::size_t> Broadcast::count() const { return namespace_->adapter_->count(selection_); }

}  // namespace rushes::socketio
