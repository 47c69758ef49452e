#pragma once
#include "base/flat_map.h"
#include "base/id.h"
#include "jobs/line.h"
#include "jobs/queue_report.h"
#include "jobs/ranked_set.h"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rushes::jobs {

/// A waiting job, as the order knows it.
struct Waiting {
  std::int64_t number = 0;  // the store's own for the job; names it
  Uuid id;                  // names it too; nil: nothing is asked by it
  std::int64_t place = 0;   // a user's jobs of one priority start by rising places; no two share one
  JobType type = JobType::transcript;
  // What its owner was last told; kept here for the store, of no meaning to the order. `silent`: it has started once,
  // nobody is told that it waits.
  bool silent = false;
  int priority = 0;         // higher first
  std::uint32_t since = 0;  // s since 1970: when it came to wait
  std::int32_t told_position = 0;
  std::int64_t told_at = 0;  // ms
};

/// How users share what works. A job of a URL or an upload needs a worker; a transcript takes a transcript slot too.
struct Sharing {
  int workers = 1'000'000;
  int transcript_slots = 0;      // beside the workers, for transcripts alone
  int max_running_per_user = 0;  // whoever else is there; 0: no such limit
};

/// In which order waiting jobs start, and how many run. Within a priority a user's n-th waiting job has the turn n plus
/// what the user has running; lower turns come first, of the same turn whoever came to it first. So whoever has the
/// fewest running is next, and users take turns.
///
/// How: each user has a slot for each of its turns, all slots of all users stand in one ranked set, and a user's
/// n-th job belongs to its n-th slot. What starts, ends, comes or goes adds or takes away a slot or two.
///
/// Sharing: a user starts jobs on all workers but one (at least one) while another user waits, runs, or ran within the
/// last hour; on all of them otherwise. What runs goes on: the rule holds when a job starts.
///
/// Cost:     O(log n) for all but `remove` of a job in the middle of a long line of one user (it moves up what is
///           behind it) and `each`, which is linear in what it visits. Some 180 bytes a waiting job, 700 a user.
/// Threads:  single-owner. Errors: none; asking for what is not there is a bug (throws std::out_of_range).
class FairOrder {
 public:
  using Types = std::bitset<kJobTypes>;

  FairOrder() = default;
  FairOrder(const FairOrder&) = delete;
  FairOrder& operator=(const FairOrder&) = delete;

  void clear();
  void add(const UserId& user, const Waiting& job);
  /// The same; gives its position, and notes that it was told.
  int add_and_tell(const UserId& user, const Waiting& job);
  /// It does not wait any more, and does not start either. Gives what was kept of it.
  Waiting remove(const UserId& user, int priority, std::int64_t place);
  /// It starts: it waits no more and is one of those that run.
  Waiting start(const UserId& user, int priority, std::int64_t place);
  /// A job that was not among the waiting ones runs: found at the beginning.
  void add_running(const UserId& user, JobType type);
  /// One that ran does so no more, since `now`.
  void stop(const UserId& user, JobType type, Timestamp now);
  /// The user had a job running until `at`: found at the beginning. `clear` keeps it.
  void add_ran(const UserId& user, Timestamp at);

  /// Limits what each user may start from here on, by who is there at `now`.
  void share(const Sharing& sharing, Timestamp now);
  /// Whether the user runs as many as it may, so that none of this type starts.
  bool is_at_limit(const UserId& user, JobType type) const;
  struct Next {
    UserId user;
    Waiting job;
  };
  /// The job that starts next, of one of `types`.
  std::optional<Next> next(Types types) const;

  /// Where a waiting job stands, from 1, before those of other users that come later.
  int position(const UserId& user, int priority, std::int64_t place) const;
  /// The same of the user's job with this id. Nothing where it does not wait, or is somebody else's.
  std::optional<int> position(const UserId& user, const Uuid& id) const;
  /// Visits waiting jobs in their order from position `from` on, until `visit` says false. It may change what was told.
  void each(int from, const std::function<bool(const UserId& user, Waiting& job, int position)>& visit);

  std::size_t waiting() const noexcept { return slots_.size(); }
  std::size_t waiting(JobType type) const { return waiting_[static_cast<std::size_t>(type)]; }
  std::size_t users() const noexcept { return users_.size(); }
  std::size_t waiting_of(const UserId& user) const;
  /// Since when the one of a type waits that has waited longest, to the second.
  std::optional<Timestamp> oldest(JobType type) const;
  int running(JobType type) const { return running_[static_cast<std::size_t>(type)]; }
  int running() const noexcept;
  int running_of(const UserId& user) const;
  /// Visits those with something waiting or running, in no order. Linear in them.
  void each_user(const std::function<void(const UserId& user, std::size_t waiting, int running)>& visit) const;

 private:
  struct Lane;
  struct User;
  /// One turn of one user.
  struct Slot {
    int rank = 0;  // the priority, negated
    int turn = 0;
    std::uint64_t came = 0;  // no two slots share one
    Lane* lane = nullptr;
    bool operator<(const Slot& other) const noexcept {
      if (rank != other.rank) return rank < other.rank;
      if (turn != other.turn) return turn < other.turn;
      return came < other.came;
    }
  };

  /// A user's waiting jobs of one priority.
  struct Lane {
    User* user = nullptr;
    int priority = 0;
    Line<Waiting> jobs;  // by place
    std::array<Line<std::int64_t>, kJobTypes> places;
    Line<std::uint64_t> came;       // of its slots, one a job; the first has the turn after those that run
    std::bitset<kJobTypes> headed;  // types for which its first slot is in heads_
  };
  struct Spot {
    const Lane* lane = nullptr;
    std::int64_t place = 0;
  };
  struct User {
    UserId id;
    int running = 0;
    int running_media = 0;      // of those, the ones that need a worker: no transcripts
    std::map<int, Lane> lanes;  // by priority
  };
  struct Limits {
    int all = std::numeric_limits<int>::max();
    int media = std::numeric_limits<int>::max();
    bool operator==(const Limits&) const = default;
  };
  struct Ran {
    UserId user;
    Timestamp until;
  };

  User& user_of(const UserId& id);
  bool may_start(const User& user, JobType type) const;
  /// Whether two users or more are there: wait, run, or ran within the last hour.
  bool is_shared(Timestamp now) const;
  void count_running(User& user, JobType type, int more);
  struct Put {
    Lane& lane;
    std::size_t rank = 0;  // in the lane
  };
  Put put(const UserId& id, const Waiting& job);
  Lane& lane_of(const UserId& user, int priority) const;
  static std::size_t rank_in(const Lane& lane, std::int64_t place);
  static Slot slot(const Lane& lane, std::size_t index);
  Waiting take(Lane& lane, std::int64_t place);
  void add_slot_behind(Lane& lane);
  void take_slot_behind(Lane& lane);
  void set_running(User& user, int running);
  /// Takes the lane's first slot out of heads_, and puts it in again where it may start.
  void unhead(Lane& lane);
  void head(Lane& lane);
  void forget_if_idle(User& user);

  RankedSet<Slot> slots_;
  std::array<std::set<Slot>, kJobTypes> heads_;   // first slots of users that may start a job of that type
  FlatMap<UserId, std::unique_ptr<User>> users_;  // those with something waiting or running
  FlatMap<Uuid, Spot> spots_;
  std::array<std::size_t, kJobTypes> waiting_{};
  std::array<std::map<std::uint32_t, std::size_t>, kJobTypes> since_;  // how many came in which second
  std::array<int, kJobTypes> running_{};
  Limits limits_;  // of each user
  int workers_ = std::numeric_limits<int>::max();
  std::vector<Ran>
      ran_;  // the last two users of whom a job ended, the last first: whether a second is there shows in them
  std::uint64_t comings_ = 0;
};

}  // namespace rushes::jobs
