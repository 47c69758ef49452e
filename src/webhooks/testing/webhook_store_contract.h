#pragma once
#include "base/clock.h"
#include "webhooks/webhook_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace rushes::webhooks {

/// The webhooks of one database, open.
class OpenWebhooks {
 public:
  virtual ~OpenWebhooks() = default;
  virtual WebhookStore& webhooks() = 0;
  /// Closes the database and opens it again, as a restart of the server does.
  virtual void reopen() = 0;
};

struct WebhookBackend {
  std::string name;
  std::function<std::unique_ptr<OpenWebhooks>(FakeClock& clock)> open;
};
inline void PrintTo(const WebhookBackend& backend, std::ostream* out) { *out << backend.name; }

/// What webhook_store.h promises, for every implementation alike.
class WebhookStoreContract : public ::testing::TestWithParam<WebhookBackend> {
 protected:
  WebhookStoreContract() : open_(GetParam().open(clock_)) {}

  Webhook add(const std::string& user, std::vector<std::string> types = {"job.completed", "job.failed"});
  Told told(std::int64_t event, const std::string& user, const std::string& type = "job.completed");
  /// What is due, with room for `limit`, all of them of one user.
  Turn turn(std::vector<std::pair<UserId, WebhookId>> busy = {}, int most_of_user = 100, int limit = 100);
  std::vector<DueDelivery> due() { return turn().due; }
  WebhookStore& store() { return open_->webhooks(); }
  void reopen() { open_->reopen(); }

  FakeClock clock_;

 private:
  SeededRng rng_{4};
  std::unique_ptr<OpenWebhooks> open_;
};

}  // namespace rushes::webhooks
