#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> titles_of(const HistoryPage& page) {
  std::vector<std::string> titles;
  for (const auto& analysis : page.analyses) titles.push_back(analysis.title);
  return titles;
}

std::vector<JobId> ids_of(const JobPage& page) {
  std::vector<JobId> ids;
  for (const auto& job : page.jobs) ids.push_back(job.id);
  return ids;
}

TEST_P(JobStoreContract, WhatIsAnothersIsNotFound) {
  const auto claimed = begin("ann");
  const auto made = completion();
  must(run_to_end(jobs().complete(claimed.lease, made)));
  const UserId bob("bob");

  const auto refused = run_to_end(queries().find(bob, claimed.job.id));
  EXPECT_EQ(code_of(refused), Errc::not_found);
  EXPECT_EQ(name_of(refused), "JOB_NOT_FOUND");
  EXPECT_EQ(code_of(run_to_end(queries().body_of(bob, claimed.job.id))), Errc::not_found);
  EXPECT_EQ(code_of(run_to_end(queries().analysis(bob, made.audit))), Errc::not_found);
  EXPECT_EQ(code_of(run_to_end(queries().remove_analysis(bob, made.audit))), Errc::not_found);
  EXPECT_TRUE(must(run_to_end(queries().list(bob, JobFilter()))).jobs.empty());
  EXPECT_EQ(must(run_to_end(queries().history(bob, HistoryQuery()))).total, 0);
  EXPECT_TRUE(events_of("bob").empty());
  EXPECT_TRUE(run_to_end(queries().analysis(claimed.job.user, made.audit)));
}

TEST_P(JobStoreContract, ABodyThatWasNotGivenIsEmpty) {
  const auto job = submit("ann");
  EXPECT_EQ(must(run_to_end(queries().body_of(job.user, job.id))), "");
  EXPECT_EQ(code_of(run_to_end(queries().body_of(job.user, JobId("none")))), Errc::not_found);
}

TEST_P(JobStoreContract, ListGivesPagesNewestFirst) {
  std::vector<JobId> expected;
  for (int i = 0; i < 7; ++i) {
    expected.insert(expected.begin(), submit("ann").id);
    submit("bob");
  }
  std::vector<JobId> seen;
  JobFilter filter;
  filter.limit = 3;
  std::vector<std::size_t> sizes;
  do {
    const auto page = must(run_to_end(queries().list(UserId("ann"), filter)));
    sizes.push_back(page.jobs.size());
    for (const auto& id : ids_of(page)) seen.push_back(id);
    filter.cursor = page.next_cursor;
    if (sizes.size() == 1) submit("ann");  // a newer one shifts nothing
  } while (!filter.cursor.empty() && sizes.size() < 10);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3, 1}));
}

TEST_P(JobStoreContract, AFullLastPageHasNoCursor) {
  for (int i = 0; i < 4; ++i) submit("ann");
  JobFilter filter;
  filter.limit = 2;
  filter.cursor = must(run_to_end(queries().list(UserId("ann"), filter))).next_cursor;
  const auto page = must(run_to_end(queries().list(UserId("ann"), filter)));
  EXPECT_EQ(page.jobs.size(), 2U);
  EXPECT_EQ(page.next_cursor, "");
}

TEST_P(JobStoreContract, ListFilters) {
  std::vector<JobId> made;
  for (const auto type : {JobType::youtube, JobType::upload, JobType::transcript, JobType::upload}) {
    auto wanted = request("ann");
    wanted.type = type;
    made.push_back(must(run_to_end(jobs().submit(wanted, kNoLimit))).job.id);
  }
  complete(claim());  // the first ends, the second runs, two wait
  claim();
  const auto list = [&](const JobFilter& filter) {
    return ids_of(must(run_to_end(queries().list(UserId("ann"), filter))));
  };
  using Ids = std::vector<JobId>;
  JobFilter filter;
  filter.state = JobState::pending;
  EXPECT_EQ(list(filter), (Ids{made[3], made[2]}));
  filter.type = JobType::upload;
  EXPECT_EQ(list(filter), Ids{made[3]});
  filter.state.reset();
  EXPECT_EQ(list(filter), (Ids{made[3], made[1]}));
  filter.type.reset();
  filter.unfinished_only = true;
  EXPECT_EQ(list(filter), (Ids{made[3], made[2], made[1]}));
  filter.type = JobType::youtube;
  EXPECT_EQ(list(filter), Ids{});
  filter.unfinished_only = false;
  filter.state = JobState::completed;
  EXPECT_EQ(list(filter), Ids{made[0]});
}

TEST_P(JobStoreContract, ACursorOfNoOnesMakingIsRefused) {
  submit("ann");
  for (const auto* cursor : {"x", "1x", " 1", "-1", "0", "99999999999999999999", "1;DROP TABLE jobs", "1.5"}) {
    JobFilter filter;
    filter.cursor = cursor;
    const auto refused = run_to_end(queries().list(UserId("ann"), filter));
    EXPECT_EQ(code_of(refused), Errc::invalid_argument) << cursor;
    EXPECT_EQ(name_of(refused), "CURSOR_INVALID") << cursor;
  }
}

TEST_P(JobStoreContract, CountsAreOfAllUsers) {
  submit("ann");
  submit("bob");
  submit("bob");
  complete(claim());
  claim();
  const auto counts = must(run_to_end(queries().counts()));
  EXPECT_EQ(counts.pending, 1);
  EXPECT_EQ(counts.processing, 1);
}

TEST_P(JobStoreContract, NextDueIsTheFirstBackoffsEnd) {
  const Failure passing{"NETWORK_AWAY", "The network is away.", true, {}};
  const auto first = begin("ann");
  const auto second = begin("ann");
  EXPECT_FALSE(must(run_to_end(queries().next_due())));
  const auto start = clock_.now();
  must(run_to_end(jobs().fail(first.lease, passing, seconds(9))));
  must(run_to_end(jobs().fail(second.lease, passing, seconds(4))));
  submit("ann");  // waits, but for no backoff

  EXPECT_EQ(must(run_to_end(queries().next_due())), start + seconds(4));
  clock_.advance(seconds(4));
  EXPECT_EQ(must(run_to_end(queries().next_due())), start + seconds(9));
  clock_.advance(seconds(5));
  EXPECT_FALSE(must(run_to_end(queries().next_due())));
}

TEST_P(JobStoreContract, HistoryGivesPagesNewestFirst) {
  for (const auto* title : {"one", "two", "three", "four", "five"}) {
    complete(begin("ann"), title);
    clock_.advance(milliseconds(1));
  }
  complete(begin("bob"), "bob's");
  const auto history = [&](const HistoryQuery& query) {
    return must(run_to_end(queries().history(UserId("ann"), query)));
  };
  using Titles = std::vector<std::string>;
  HistoryQuery query;
  query.limit = 2;
  EXPECT_EQ(titles_of(history(query)), (Titles{"five", "four"}));
  EXPECT_EQ(history(query).total, 5);
  query.page = 3;
  EXPECT_EQ(titles_of(history(query)), Titles{"one"});
  EXPECT_EQ(history(query).total, 5);
  query.page = 4;
  EXPECT_EQ(titles_of(history(query)), Titles{});
  query.page = 1'000'000'000;
  EXPECT_EQ(titles_of(history(query)), Titles{});
  query.page = 1;
  query.ascending = true;
  EXPECT_EQ(titles_of(history(query)), (Titles{"one", "two"}));
}

TEST_P(JobStoreContract, HistorySortsByTitleWithoutCase) {
  for (const auto* title : {"beta", "Alpha", "Ärger", "gamma", "Beta 2"}) complete(begin("ann"), title);
  HistoryQuery query;
  query.sort_by = "title";
  query.ascending = true;
  using Titles = std::vector<std::string>;
  const auto up = titles_of(must(run_to_end(queries().history(UserId("ann"), query))));
  EXPECT_EQ(up, (Titles{"Alpha", "beta", "Beta 2", "gamma", "Ärger"}));
  query.ascending = false;
  const auto down = titles_of(must(run_to_end(queries().history(UserId("ann"), query))));
  EXPECT_EQ(down, Titles(up.rbegin(), up.rend()));
}

TEST_P(JobStoreContract, HistorySearchesTheTitleLiterallyAndWithoutCase) {
  for (const auto* title :
       {"100% sure", "1000 ways", "snake_case", "snakeXcase", "back\\slash", "Größe ÄÖÜ", "Привет"}) {
    complete(begin("ann"), title);
  }
  const auto found = [&](const std::string& text) {
    HistoryQuery query;
    query.search = text;
    query.sort_by = "title";
    query.ascending = true;
    const auto page = must(run_to_end(queries().history(UserId("ann"), query)));
    EXPECT_EQ(page.total, static_cast<std::int64_t>(page.analyses.size()));
    return titles_of(page);
  };
  using Titles = std::vector<std::string>;
  EXPECT_EQ(found("100%"), Titles{"100% sure"});
  EXPECT_EQ(found("%"), Titles{"100% sure"});
  EXPECT_EQ(found("snake_"), Titles{"snake_case"});
  EXPECT_EQ(found("SNAKE"), (Titles{"snake_case", "snakeXcase"}));
  EXPECT_EQ(found("\\"), Titles{"back\\slash"});
  EXPECT_EQ(found("größe äö"), Titles{"Größe ÄÖÜ"});
  EXPECT_EQ(found("ПРИВЕТ"), Titles{"Привет"});
  EXPECT_EQ(found("' OR '1'='1"), Titles{});
  EXPECT_EQ(found("").size(), 7U);
}

TEST_P(JobStoreContract, RemoveGivesWhatItRemoved) {
  const auto claimed = begin("ann");
  const auto made = completion("gone");
  must(run_to_end(jobs().complete(claimed.lease, made)));
  const auto user = claimed.job.user;

  const auto removed = must(run_to_end(queries().remove_analysis(user, made.audit)));

  EXPECT_EQ(removed.id, made.audit);
  EXPECT_EQ(removed.job, claimed.job.id);
  EXPECT_EQ(removed.title, "gone");
  EXPECT_EQ(removed.result, made.result);
  EXPECT_EQ(code_of(run_to_end(queries().analysis(user, made.audit))), Errc::not_found);
  EXPECT_EQ(name_of(run_to_end(queries().remove_analysis(user, made.audit))), "ANALYSIS_NOT_FOUND");
  EXPECT_EQ(must(run_to_end(queries().history(user, HistoryQuery()))).total, 0);
  EXPECT_EQ(find(claimed.job).state, JobState::completed);
  EXPECT_FALSE(find(claimed.job).audit);  // it names nothing that is there
  must(run_to_end(jobs().restart(user, claimed.job.id, kNoLimit)));
}

}  // namespace
}  // namespace rushes::jobs
