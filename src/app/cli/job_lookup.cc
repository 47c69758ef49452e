#include "app/cli/job_lookup.h"

#include "base/id.h"
#include "base/text.h"

namespace rushes::app::cli {
namespace {

constexpr std::size_t kLeastTyped = 4;
constexpr std::size_t kMostSearched = 1000;

}  // namespace

Result<void> each_job(HttpClient& http, const std::string& status, const std::string& type,
                      const std::function<bool(const json::object&)>& visit) {
  std::string cursor;
  for (;;) {
    std::vector<std::pair<std::string, std::string>> query{{"limit", "100"}};
    if (!status.empty()) query.emplace_back("status", status);
    if (!type.empty()) query.emplace_back("type", type);
    if (!cursor.empty()) query.emplace_back("cursor", cursor);
    const auto page = http.get("/analyze/jobs", query);
    if (!page) return page.error();
    const auto* jobs = page->if_contains("jobs");
    if (jobs == nullptr || !jobs->is_array()) return Error(Errc::malformed, "the server's list of jobs has no jobs");
    for (const auto& job : jobs->get_array()) {
      if (job.is_object() && !visit(job.get_object())) return {};
    }
    const auto next = string_member(*page, "nextCursor");
    if (!next || next->empty() || *next == cursor) return {};
    cursor = *next;
  }
}

bool means(std::string_view shortened, std::string_view id) {
  return shortened.size() >= kLeastTyped && (id.starts_with(shortened) || id.ends_with(shortened));
}

Result<std::string> find_job(HttpClient& http, std::string_view typed) {
  const auto wanted = to_lower_ascii(trim(typed));
  if (is_uuid(wanted)) return wanted;
  const auto none = Error::for_user(Errc::not_found, "JOB_NOT_FOUND",
                                    "No job of yours begins or ends with '" + printable(typed) +
                                        "' (four characters or more). `rushes jobs` lists them.");
  if (wanted.size() < kLeastTyped) return none;
  std::vector<std::string> found;
  std::size_t searched = 0;
  const auto all = each_job(http, {}, {}, [&](const json::object& job) {
    auto id = string_member(job, "jobId").value_or("");
    if (means(wanted, id)) found.push_back(std::move(id));
    return ++searched < kMostSearched;
  });
  if (!all) return all.error();
  if (found.empty()) return none;
  if (found.size() == 1) return found.front();
  std::string some;
  for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 4); ++i) some += (i == 0 ? "" : ", ") + found[i];
  return Error::for_user(Errc::invalid_argument, "JOB_AMBIGUOUS",
                         "'" + printable(typed) + "' means " + std::to_string(found.size()) + " jobs: " + some +
                             (found.size() > 4 ? ", …" : "") + ". Type more of it; the end of an id tells more.");
}

Result<json::object> job_status(HttpClient& http, const std::string& id) {
  return http.get("/analyze/job/" + id + "/status");
}

JobView view_of_status(const json::object& status, const std::string& id) {
  auto job = job_from_rest(status, id);
  const auto* result = status.if_contains("result");
  if (job.title.empty() && result != nullptr && result->is_object()) {
    const auto* video = result->get_object().if_contains("video");
    if (video != nullptr && video->is_object()) job.title = string_member(video->get_object(), "title").value_or("");
  }
  return job;
}

}  // namespace rushes::app::cli
