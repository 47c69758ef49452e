#pragma once
#include "jobs/event.h"
#include "jobs/model.h"
#include "sqlite/row_source.h"
#include "store_sqlite/job_rows.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::store_sqlite {

/// Rows that the units of a transaction add and that are written together, by one statement for each table: before
/// somebody looks at the database, and at the latest before the commit.
///
/// Threads: the writer's. Lifetime: longer than that of the connection that it is offered to.
class StagedRows {
 public:
  StagedRows() = default;
  StagedRows(const StagedRows&) = delete;
  StagedRows& operator=(const StagedRows&) = delete;

  /// To the connection that `write` is given. Throws sqlite::Failure.
  void offer(sqlite::Connection& database);

  /// A job as it was submitted, with the event that said so. `request` stays where it is until this is written or
  /// dropped.
  void add(const Row& row, const jobs::NewJob& request, std::optional<int> estimated_wait);
  void set_state(const Row& row);
  void list_unfinished(std::int64_t job);
  void unlist_ended(std::int64_t job);
  /// That of the transaction's events, by its place among them.
  void add_told(std::size_t place);
  void add_event(jobs::Event event);

  /// How many were staged in all.
  std::int64_t count() const noexcept { return count_; }
  /// Whether there may be something of this job.
  bool has_job(std::int64_t number) const noexcept;
  /// With the events of the transaction under way. Throws sqlite::Failure.
  void write(sqlite::Connection& database, const std::vector<jobs::Event>& told);
  void drop() noexcept;

 private:
  struct Jobs final : sqlite::RowSource {
    struct NewRow {
      const jobs::NewJob* request;
      std::string stage;
      std::string message;
      std::int64_t number;
      std::int64_t place;
      std::int64_t created_at;  // ms
      std::int64_t run_at;      // ms
      std::int64_t position;
      std::int64_t first_seq;
      std::optional<int> estimated_wait;  // s
    };
    std::size_t size() const override { return rows.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<NewRow> rows;
  };
  struct States final : sqlite::RowSource {
    struct State {
      std::int64_t number;
      jobs::JobState state;
      std::int64_t place;
      int progress;
      std::string stage;
      std::string message;
      std::string title;
      int attempt;
      bool cancel_requested;
      bool restarted;
      std::optional<AuditId> audit;
      std::optional<jobs::Failure> failure;
      std::optional<Timestamp> processed_at;
      std::optional<Timestamp> finished_at;
      std::int64_t run_at;  // ms
      std::int64_t token;
      std::int64_t expires_at;  // ms
      std::int64_t position;
      std::int64_t series;
      std::int64_t last_seq;
    };
    std::size_t size() const override { return rows.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<State> rows;
  };
  struct Events final : sqlite::RowSource {
    std::size_t size() const override { return places.size() + own.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<std::size_t> places;
    const std::vector<jobs::Event>* told = nullptr;
    std::vector<jobs::Event> own;
  };
  struct Numbers final : sqlite::RowSource {
    std::size_t size() const override { return numbers.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<std::int64_t> numbers;
  };

  void staged() noexcept {
    any_ = true;
    ++count_;
  }

  Jobs jobs_;
  States states_;
  Events events_;
  Numbers unfinished_;
  Numbers ended_;
  bool any_ = false;
  std::int64_t count_ = 0;
};

}  // namespace rushes::store_sqlite
