#pragma once
#include "app/config.h"
#include "base/result.h"

#include <memory>
#include <string>

namespace rushes::app {

/// The whole server, wired together: the only place that knows which store, engines and gateways
/// there are.
///
/// Threads: owned and called by one thread, outside the shards.
class Server {
 public:
  /// Opens the data folder and the database, takes up unfinished work, listens.
  /// Errors: whatever of that fails, with words for the operator.
  static Result<std::unique_ptr<Server>> start(const Config& config);
  virtual ~Server() = default;

  /// `http://host:port`, with the port that was taken.
  virtual std::string address() const = 0;
  /// A token for development; nothing where that mode is off.
  virtual std::string development_token() = 0;

  /// Lets no request in, tells the sockets, hands running jobs back to the queue, closes the
  /// database. Safe to call twice.
  virtual void stop() = 0;
};

}  // namespace rushes::app
