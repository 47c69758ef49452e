#pragma once
#include "base/counters.h"

namespace rushes::net {

/// What the WebSockets of one loop have done since it began.
struct WebSocketCounts {
  Counter bytes_in;
  Counter bytes_out;
  Counter writes;        // system calls
  Counter merged;        // frames left out because a newer one made them out of date
  Counter queued_bytes;  // that wait now; polling's too
  Counter too_slow;
  Counter protocol_errors;
  DurationHistogram emit_to_write;  // of events: from their making to the kernel's taking them
};

}  // namespace rushes::net
