#include "socketio/local_adapter.h"

#include "base/named_set.h"
#include "socketio/detail/places.h"
#include "socketio/socket.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace rushes::socketio {

struct NameOfRoom {
  std::string_view operator()(const LocalAdapter::Room& room) const noexcept { return room.name; }
};
struct IdOfSocket {
  std::string_view operator()(const Socket& socket) const noexcept { return socket.id(); }
};

/// How many names of rooms and sockets there are, by their hash: what others than the shard may ask.
class Census {
 public:
  void add(std::string_view name) noexcept { of(name).fetch_add(1); }
  void remove(std::string_view name) noexcept { of(name).fetch_sub(1); }
  /// False where there is none of that name.
  bool may_have(std::string_view name) const noexcept { return of(name).load() != 0; }

 private:
  static constexpr std::size_t kCounts = 1U << 16U;
  std::atomic<std::uint32_t>& of(std::string_view name) noexcept {
    return counts_[std::hash<std::string_view>()(name) % kCounts];
  }
  const std::atomic<std::uint32_t>& of(std::string_view name) const noexcept {
    return const_cast<Census*>(this)->of(name);
  }

  std::array<std::atomic<std::uint32_t>, kCounts> counts_{};
};

/// One shard's share of the namespace. Touched on that shard only, but the census.
struct LocalAdapter::Part {
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() {
    for (auto* room : rooms) delete room;
  }

  Room* find_room(const std::string& name) const {
    if (recent == nullptr || recent->name != name) recent = rooms.find(name);
    return recent;
  }

  std::shared_ptr<net::Loop> loop;
  NamedSet<Room, NameOfRoom> rooms;  // owned by it
  NamedSet<Socket, IdOfSocket> by_id;
  mutable Room* recent = nullptr;  // the last that was looked for: who asks whether it is there emits to it next
  std::vector<Socket*> everyone;
  std::uint32_t epoch = 0;  // of selections: a socket with this mark has been seen
  Census census;

  /// False where nobody here is meant. Threads: any; the shard's own looks into its tables, which it needs anyway.
  bool may_have(const Selection& who) const {
    const bool is_own = loop->is_current();
    const auto may = [&](const std::string& room) {
      return is_own ? find_room(room) != nullptr || by_id.find(room) != nullptr : census.may_have(room);
    };
    return who.rooms.empty() || std::any_of(who.rooms.begin(), who.rooms.end(), may);
  }

  /// Calls `use` once for each selected socket.
  template <class Use>
  void for_each(const Selection& who, Use use) {
    if (who.except.empty()) {
      if (who.rooms.empty()) {
        for (auto* socket : everyone) use(*socket);
        return;
      }
      if (who.rooms.size() == 1) {
        in_room(who.rooms.front(), use);
        return;
      }
    }
    const auto seen = ++epoch;
    const auto mark = [seen](Socket& socket) { socket.places_->mark = seen; };
    const auto use_once = [seen, &use](Socket& socket) {
      if (std::exchange(socket.places_->mark, seen) != seen) use(socket);
    };
    for (const auto& room : who.except) in_room(room, mark);
    if (who.rooms.empty()) {
      for (auto* socket : everyone) use_once(*socket);
    }
    for (const auto& room : who.rooms) in_room(room, use_once);
  }

  template <class Use>
  void in_room(const std::string& name, Use use) {
    if (const auto* room = find_room(name)) {
      for (const auto& member : room->members) use(*member.socket);
    } else if (auto* own = by_id.find(name)) {
      use(*own);
    }
  }
};

LocalAdapter::LocalAdapter(const std::vector<std::shared_ptr<net::Loop>>& loops) {
  for (const auto& loop : loops) {
    parts_.push_back(std::make_shared<Part>());
    parts_.back()->loop = loop;
  }
}

LocalAdapter::~LocalAdapter() = default;

bool LocalAdapter::may_reach(const Selection& who) const {
  return std::any_of(parts_.begin(), parts_.end(), [&who](const auto& part) { return part->may_have(who); });
}

void LocalAdapter::broadcast(const Selection& to, const OutgoingEvent& event) {
  const auto deliver = [](Part& part, const Selection& who, const EncodedPacket& packet) {
    part.for_each(who, [&packet, droppable = who.droppable](Socket& socket) {
      if (!droppable || !socket.congested()) socket.send(packet);
    });
  };
  for (const auto& part : parts_) {
    if (part->loop->is_current()) {
      deliver(*part, to, event.encoded);
    } else if (part->may_have(to)) {
      part->loop->post([part, to, packet = event.encoded, deliver] { deliver(*part, to, packet); });
    }
  }
}

/// A broadcast that waits for acknowledgements. Touched on the asker's executor only.
struct LocalAdapter::Asked {
  explicit Asked(const Executor& asker) : executor(asker), done(asker, asio::steady_timer::time_point::max()) {}

  /// `open` things less to wait for.
  void settle(std::size_t count) {
    open -= count;
    if (open == 0) done.cancel();
  }

  const Executor executor;
  asio::steady_timer done;
  std::size_t open = 0;  // parts that have not asked yet, and clients that have not answered
  BroadcastAnswers result;
};

Task<BroadcastAnswers> LocalAdapter::broadcast_with_ack(Selection to, EncodedPacket event, std::uint64_t id,
                                                        std::chrono::milliseconds timeout) {
  const auto asked = std::make_shared<Asked>(co_await asio::this_coro::executor);
  asked->open = parts_.size();
  const auto take = [asked](Result<Event> answer) {
    asio::post(asked->executor, [asked, answer = std::move(answer)]() mutable {
      if (answer) {
        asked->result.answers.push_back(std::move(*answer));
      } else {
        ++asked->result.missing;
      }
      asked->settle(1);
    });
  };
  for (const auto& part : parts_) {
    part->loop->run([part, to, event, id, timeout, asked, take] {
      const auto sockets = select(*part, to);
      // Before any answer of theirs: what one thread posts stays in order.
      asio::post(asked->executor, [asked, count = sockets.size()] {
        asked->open += count;
        asked->settle(1);
      });
      for (auto* socket : sockets) socket->ask(event, id, timeout, take);
    });
  }
  boost::system::error_code woken;
  co_await asked->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return std::move(asked->result);
}

std::vector<Socket*> LocalAdapter::select(Part& part, const Selection& who) {
  std::vector<Socket*> selected;
  part.for_each(who, [&selected](Socket& socket) { selected.push_back(&socket); });
  return selected;
}

void LocalAdapter::on_each(const Selection& who, std::function<void(Socket&)> action) {
  for (const auto& part : parts_) {
    part->loop->run([part, who, action] {
      // Held and listed first: the action changes the rooms.
      std::vector<SocketPtr> held;
      for (auto* socket : select(*part, who)) held.push_back(socket->shared_from_this());
      for (const auto& socket : held) action(*socket);
    });
  }
}

void LocalAdapter::disconnect(const Selection& who, bool close_transport) {
  on_each(who, [close_transport](Socket& socket) { socket.disconnect(close_transport); });
}

void LocalAdapter::join(const Selection& who, std::string room) {
  on_each(who, [room = std::move(room)](Socket& socket) { socket.join(room); });
}

void LocalAdapter::leave(const Selection& who, std::string room) {
  on_each(who, [room = std::move(room)](Socket& socket) { socket.leave(room); });
}

Task<std::size_t> LocalAdapter::count(Selection who) {
  std::size_t total = 0;
  for (const auto& part : parts_) {
    const auto count_here = [](std::shared_ptr<Part> there, Selection selection) -> Task<std::size_t> {
      co_return select(*there, selection).size();
    };
    auto task = count_here(part, who);
    total += co_await run_on(part->loop->executor(), std::move(task));
  }
  co_return total;
}

void LocalAdapter::enter(std::size_t shard, Socket& socket) {
  auto& part = *parts_[shard];
  socket.places_->index = static_cast<std::uint32_t>(part.everyone.size());
  part.everyone.push_back(&socket);
  part.by_id.insert(socket);
  part.census.add(socket.id());
}

void LocalAdapter::exit(Socket& socket) {
  auto& places = *socket.places_;
  auto& part = *parts_[socket.shard_];
  while (!places.rooms.empty()) {
    const auto [room, index] = places.rooms.back();
    places.rooms.pop_back();
    remove_member(part, *room, index);
  }
  auto* const last = part.everyone.back();
  part.everyone[places.index] = last;
  last->places_->index = places.index;
  part.everyone.pop_back();
  part.by_id.erase(socket);
  part.census.remove(socket.id());
}

void LocalAdapter::evict(const std::string& id) {
  for (const auto& part : parts_) {
    auto end = [part, id] {
      if (auto* found = part->by_id.find(id)) found->give_way();
    };
    if (part->loop->is_current()) {
      end();
    } else {
      part->loop->post(std::move(end));
    }
  }
}

void LocalAdapter::join_room(Socket& socket, std::string_view name) {
  auto& places = *socket.places_;
  auto& part = *parts_[socket.shard_];
  auto* found = part.rooms.find(name);
  if (found == nullptr) {
    auto made = std::make_unique<Room>();
    made->name = name;
    part.rooms.insert(*made);
    part.census.add(name);
    found = made.release();
  }
  auto& room = *found;
  const auto is_this = [&room](const Socket::Places::InRoom& place) { return place.room == &room; };
  if (std::any_of(places.rooms.begin(), places.rooms.end(), is_this)) return;
  places.rooms.push_back({&room, static_cast<std::uint32_t>(room.members.size())});
  room.members.push_back({&socket, static_cast<std::uint32_t>(places.rooms.size() - 1)});
}

void LocalAdapter::leave_room(Socket& socket, std::string_view name) {
  auto& rooms = socket.places_->rooms;
  for (std::size_t slot = 0; slot < rooms.size(); ++slot) {
    if (rooms[slot].room->name != name) continue;
    const auto [room, index] = rooms[slot];
    if (slot + 1 < rooms.size()) {
      rooms[slot] = rooms.back();
      rooms[slot].room->members[rooms[slot].index].slot = static_cast<std::uint32_t>(slot);
    }
    rooms.pop_back();
    remove_member(*parts_[socket.shard_], *room, index);
    return;
  }
}

void LocalAdapter::remove_member(Part& part, Room& room, std::size_t index) {
  const auto last = room.members.back();
  room.members.pop_back();
  if (index < room.members.size()) {
    room.members[index] = last;
    last.socket->places_->rooms[last.slot].index = static_cast<std::uint32_t>(index);
  } else if (room.members.empty()) {
    const std::unique_ptr<Room> empty(&room);
    part.recent = nullptr;
    part.rooms.erase(room);
    part.census.remove(room.name);
  }
}

}  // namespace rushes::socketio
