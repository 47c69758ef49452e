#pragma once
#include "engineio/session.h"
#include "socketio/local_adapter.h"
#include "socketio/socket.h"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rushes::socketio {

/// Where a socket stands in its adapter.
struct Socket::Places {
  struct InRoom {
    LocalAdapter::Room* room;
    std::uint32_t index;  // of this socket among the room's members
  };
  boost::container::small_vector<InRoom, 1> rooms;
  std::unique_ptr<std::vector<std::string>> early;  // rooms that it joined before it was connected; null: none
  std::uint32_t index = 0;                          // among all sockets of the shard
  std::uint32_t mark = 0;                           // the last selection that saw it
};

}  // namespace rushes::socketio
