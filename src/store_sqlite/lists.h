#pragma once
#include "store_sqlite/id_list.h"
#include "store_sqlite/user_list.h"

#include <optional>

namespace rushes::store_sqlite {

/// What an index would cost each row that is added, written in batches instead. All at once, what each has of the same
/// name.
struct Lists {
  Lists(sqlite::Connection& database, std::size_t batch);

  void step(sqlite::Connection& database);
  /// How far each was to come.
  struct Upto {
    std::optional<std::int64_t> jobs;
    std::optional<std::int64_t> events;
    std::optional<std::int64_t> analyses;
    std::optional<std::int64_t> job_ids;
    std::optional<std::int64_t> analysis_ids;
  };
  bool hurry(sqlite::Connection& database, Upto& upto);
  void committed();
  void rolled_back();
  void rolled_back_partly(sqlite::Connection& database);

  UserList jobs;
  UserList events;
  UserList analyses;
  IdList job_ids;
  IdList analysis_ids;
};

}  // namespace rushes::store_sqlite
