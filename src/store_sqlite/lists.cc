#include "store_sqlite/lists.h"

namespace rushes::store_sqlite {

Lists::Lists(sqlite::Connection& database, std::size_t batch)
    : jobs(kJobList, database, batch),
      events(kEventList, database, batch),
      analyses(kAnalysisList, database, batch),
      job_ids(kJobIds, database, batch),
      analysis_ids(kAnalysisIds, database, batch) {}

void Lists::step(sqlite::Connection& database) {
  jobs.step(database);
  events.step(database);
  analyses.step(database);
  job_ids.step(database);
  analysis_ids.step(database);
}

bool Lists::hurry(sqlite::Connection& database, Upto& upto) {
  bool more = jobs.hurry(database, upto.jobs);
  more = events.hurry(database, upto.events) || more;
  more = analyses.hurry(database, upto.analyses) || more;
  more = job_ids.hurry(database, upto.job_ids) || more;
  return analysis_ids.hurry(database, upto.analysis_ids) || more;
}

void Lists::committed() {
  jobs.committed();
  events.committed();
  analyses.committed();
  job_ids.committed();
  analysis_ids.committed();
}

void Lists::rolled_back() {
  jobs.rolled_back();
  events.rolled_back();
  analyses.rolled_back();
  job_ids.rolled_back();
  analysis_ids.rolled_back();
}

void Lists::rolled_back_partly(sqlite::Connection& database) {
  jobs.rolled_back_partly(database);
  events.rolled_back_partly(database);
  analyses.rolled_back_partly(database);
  job_ids.rolled_back_partly(database);
  analysis_ids.rolled_back_partly(database);
}

}  // namespace rushes::store_sqlite
