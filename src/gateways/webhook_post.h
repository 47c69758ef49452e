#pragma once
#include "base/clock.h"
#include "net/address_filter.h"
#include "webhooks/webhook_store.h"

#include <atomic>
#include <chrono>
#include <string>

namespace rushes::gateways {

/// What came of one attempt to deliver.
struct PostResult {
  long status = 0;                      // HTTP's; 0: there was no answer
  std::string problem;                  // why not, in one clause
  std::chrono::seconds retry_after{0};  // what a 429 or 503 asked for; 0: nothing
  bool arrived() const { return status >= 200 && status < 300; }
};

/// Sends the delivery as Standard Webhooks says (https://www.standardwebhooks.com), signed at `now` with each
/// of its secrets. BLOCKING: DNS,
/// then HTTP to the addresses that passed the filter, and to no other; a redirect is not followed. Ends within a second
/// once `give_up` is set.
PostResult post_delivery(const webhooks::DueDelivery& due, const net::AddressFilter& addresses, Timestamp now,
                         std::chrono::milliseconds timeout, const std::atomic<bool>& give_up);

}  // namespace rushes::gateways
