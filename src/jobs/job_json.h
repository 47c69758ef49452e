#pragma once
#include "base/json.h"
#include "jobs/job_queries.h"

namespace rushes::jobs {

// The one form in which jobs leave the server, by REST and by the sockets' acknowledgements alike.

/// An entry of `GET /analyze/jobs`.
json::object job_summary(const Job& job);

/// `GET /analyze/job/{id}/status`; `result` where it has one.
json::object job_status(const Job& job, std::optional<json::object> result);

/// The job's input as JSON; empty where it cannot be read.
json::object input_of(const Job& job);

/// The answer to a submit, as text: `{jobId, message, queuePosition}`.
std::string submit_answer(const Job& job);

/// An entry of `GET /analyze/history`.
json::object history_entry(const Analysis& analysis);

}  // namespace rushes::jobs
