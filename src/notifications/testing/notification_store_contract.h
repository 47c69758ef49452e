#pragma once
#include "base/clock.h"
#include "notifications/notification_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace rushes::notifications {

/// The inboxes of one database, open.
class OpenInboxes {
 public:
  virtual ~OpenInboxes() = default;
  virtual NotificationStore& notifications() = 0;
  /// Closes the database and opens it again, as a restart of the server does.
  virtual void reopen() = 0;
};

/// One implementation, for the suite to run over.
struct InboxBackend {
  std::string name;
  /// Opens a database of its own, empty. The clock outlives it.
  std::function<std::unique_ptr<OpenInboxes>(FakeClock& clock)> open;
};
inline void PrintTo(const InboxBackend& backend, std::ostream* out) { *out << backend.name; }

/// What notification_store.h promises, for every implementation alike.
class NotificationStoreContract : public ::testing::TestWithParam<InboxBackend> {
 protected:
  NotificationStoreContract() : inboxes_(GetParam().open(clock_)) {}

  static NewNotification notification(const std::string& user, const std::string& title = "Title");
  Notification add(const std::string& user, const std::string& title = "Title");
  ListPage list(const std::string& user, ListQuery query = {});
  std::int64_t unread(const std::string& user);

  NotificationStore& store() { return inboxes_->notifications(); }
  void reopen() { inboxes_->reopen(); }

  FakeClock clock_;

 private:
  std::unique_ptr<OpenInboxes> inboxes_;
};

}  // namespace rushes::notifications
