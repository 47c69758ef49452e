#pragma once
#include "jobs/event.h"
#include "jobs/model.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::jobs {

// What operators ask for: of all users.

inline constexpr std::size_t kJobTypes = 3;

/// What an operator set for a type; kept in the database.
struct TypeSettings {
  bool paused = false;             // none of its jobs starts
  std::optional<int> max_running;  // at once, from 1; nothing: as many as there are workers
};

/// How the queue stands now.
struct QueueReport {
  struct Type {
    std::int64_t waiting = 0;
    std::int64_t running = 0;
    TypeSettings settings;
  };
  struct User {
    UserId id;
    std::int64_t waiting = 0;
    std::int64_t running = 0;
  };
  std::array<Type, kJobTypes> types;
  std::int64_t later = 0;  // that wait for a time, in no type's number
  std::optional<Timestamp> oldest_waiting;
  std::int64_t dead = 0;  // failed jobs
  std::int64_t users = 0;
  std::vector<User> busiest;  // those with the most waiting first
};

/// Why a job is where it is.
struct JobReport {
  Job job;
  std::vector<Attempt> attempts;    // oldest first; the one that runs or completed too
  std::optional<int> position;      // in the order; nothing where it does not wait, or for a time
  std::optional<Timestamp> run_at;  // that it waits for
  std::optional<Timestamp> lease_expires_at;
  std::int64_t waiting = 0;  // in the order, of all users
  int running_of_user = 0;
  bool user_is_at_limit = false;  // runs as many as it may now, so that none of this type starts
  TypeSettings type;
  std::vector<Event> events;  // the log's, oldest first
};

/// Which failed jobs.
struct DeadFilter {
  std::optional<JobId> job;
  std::optional<UserId> user;
  std::optional<JobType> type;
  std::string code;    // of the failure; empty: any
  std::string cursor;  // as in JobFilter
  int limit = 50;
  std::int64_t behind = 0;  // what was redriven up to there is not looked at again; see Redriven
};

/// What one step of a redrive did.
struct Redriven {
  int jobs = 0;
  std::int64_t upto = 0;  // the next step is behind this; 0: it was the last
};

}  // namespace rushes::jobs
