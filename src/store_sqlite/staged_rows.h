#pragma once
#include "jobs/event.h"
#include "jobs/model.h"
#include "sqlite/row_source.h"
#include "store_sqlite/job_rows.h"

#include <cstddef>
#include <cstdint>
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

  /// A job as it was submitted. `request` stays where it is until this is written or dropped.
  void add(const Row& row, const jobs::NewJob& request);
  /// That of the transaction's events, by its place among them.
  void add_event(std::size_t place) { events_.places.push_back(place); }

  bool empty() const noexcept { return jobs_.rows.empty() && events_.places.empty(); }
  /// With the events of the transaction under way. Throws sqlite::Failure.
  void write(sqlite::Connection& database, const std::vector<jobs::Event>& events);
  void drop() noexcept;
  /// Whether the job with this number may be among them.
  bool has_job(std::int64_t number) const noexcept {
    return !jobs_.rows.empty() && number >= jobs_.rows.front().number;
  }

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
    };
    std::size_t size() const override { return rows.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<NewRow> rows;
  };
  struct Events final : sqlite::RowSource {
    std::size_t size() const override { return places.size(); }
    void give(std::size_t row, int column, const sqlite::Cell& cell) const override;
    std::vector<std::size_t> places;
    const std::vector<jobs::Event>* all = nullptr;
  };

  Jobs jobs_;
  Events events_;
};

}  // namespace rushes::store_sqlite
