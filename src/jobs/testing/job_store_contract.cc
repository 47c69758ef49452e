#include "jobs/testing/job_store_contract.h"

#include "async/run.h"
#include "base/id.h"

namespace rushes::jobs {

JobStoreContract::JobStoreContract() : stores_(GetParam().open(clock_)) {
  log().on_committed([this](std::span<const Event> events) {
    const std::lock_guard lock(mutex_);
    heard_.insert(heard_.end(), events.begin(), events.end());
  });
}

JobStoreContract::~JobStoreContract() { stores_.reset(); }

NewJob JobStoreContract::request(const std::string& user) {
  NewJob job;
  job.id = JobId(new_uuid(clock_, rng_));
  job.user = UserId(user);
  return job;
}

Job JobStoreContract::submit(const std::string& user) {
  return must(run_to_end(jobs().submit(request(user), kNoLimit))).job;
}

std::vector<Claimed> JobStoreContract::claim_up_to(int limit) {
  ClaimRequest wanted;
  wanted.limit = limit;
  return must(run_to_end(jobs().claim(wanted)));
}

Claimed JobStoreContract::claim() { return claim_up_to(1).at(0); }

Claimed JobStoreContract::begin(const std::string& user) {
  const auto job = submit(user);
  auto claimed = claim();
  EXPECT_EQ(claimed.job.id, job.id);
  return claimed;
}

Completion JobStoreContract::completion(const std::string& title) {
  Completion completion;
  completion.audit = AuditId(new_uuid(clock_, rng_));
  completion.title = title;
  completion.result = {{"summary", "short"}};
  return completion;
}

void JobStoreContract::complete(const Claimed& claimed, const std::string& title) {
  must(run_to_end(jobs().complete(claimed.lease, completion(title))));
}

Job JobStoreContract::find(const Job& job) { return must(run_to_end(queries().find(job.user, job.id))); }

Errc JobStoreContract::find_error(const std::string& user, const JobId& job) {
  return code_of(run_to_end(queries().find(UserId(user), job)));
}

std::vector<Event> JobStoreContract::events_of(const std::string& user) {
  return must(run_to_end(log().of_user_after(UserId(user), 0, kNoLimit)));
}

std::vector<Event> JobStoreContract::events_of_job(const Job& job) {
  auto events = events_of(job.user.value());
  std::erase_if(events, [&](const Event& event) { return event.job != job.id; });
  return events;
}

json::object JobStoreContract::last_payload(const Job& job) {
  const auto events = events_of_job(job);
  return events.empty() ? json::object() : payload_json(events.back());
}

std::string JobStoreContract::told_of(const Job& job) {
  std::string words;
  for (const auto& event : events_of_job(job)) {
    words += (words.empty() ? "" : " ") + std::string(to_string(event.type).substr(4));
  }
  return words;
}

std::vector<Event> JobStoreContract::heard() {
  const std::lock_guard lock(mutex_);
  return heard_;
}

json::object payload_json(const Event& event) {
  auto parsed = parse_json(event.payload);
  EXPECT_TRUE(parsed && parsed->is_object()) << event.payload;
  return parsed && parsed->is_object() ? parsed->get_object() : json::object();
}

const json::object& metadata_of(const json::object& payload) { return payload.at("metadata").as_object(); }

}  // namespace rushes::jobs
