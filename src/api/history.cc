#include "api/context.h"
#include "api/members.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

Result<jobs::HistoryQuery> read_query(const net::Request& request) {
  jobs::HistoryQuery query;
  const auto page = query_number(request, "page", query.page, 1, 1'000'000);
  if (!page) return page.error();
  const auto limit = query_number(request, "limit", query.limit, 1, 100);
  if (!limit) return limit.error();
  query.page = *page;
  query.limit = *limit;
  query.search = request.query_param("search").value_or("");
  const auto sort_by = request.query_param("sortBy").value_or("");
  if (!sort_by.empty() && sort_by != "createdAt" && sort_by != "title") {
    return Error::for_user(Errc::invalid_argument, "QUERY_INVALID", "sortBy is createdAt or title.");
  }
  if (!sort_by.empty()) query.sort_by = sort_by;
  const auto order = request.query_param("sortOrder").value_or("");
  if (!order.empty() && order != "asc" && order != "desc" && order != "ASC" && order != "DESC") {
    return Error::for_user(Errc::invalid_argument, "QUERY_INVALID", "sortOrder is asc or desc.");
  }
  query.ascending = order == "asc" || order == "ASC";
  return query;
}

Task<net::Response> history(const Context& context, net::Request& request, auth::Identity identity) {
  const auto query = read_query(request);
  if (!query) co_return net::problem(query.error());
  const auto found = co_await context.jobs.queries().history(identity.user, *query);
  if (!found) co_return net::problem(found.error());
  json::array entries;
  for (const auto& analysis : found->analyses) entries.push_back(jobs::history_entry(analysis));
  const auto pages = (found->total + query->limit - 1) / query->limit;
  const json::object pagination{{"page", query->page}, {"limit", query->limit},          {"total", found->total},
                                {"totalPages", pages}, {"hasNext", query->page < pages}, {"hasPrev", query->page > 1}};
  const json::object answer{{"data", std::move(entries)}, {"pagination", pagination}};
  co_return net::json_response(200, answer);
}

Task<net::Response> remove(const Context& context, net::Request& request, auth::Identity identity) {
  const AuditId id(request.params.at("auditId"));
  const auto removed = co_await context.jobs.queries().remove_analysis(identity.user, id);
  if (!removed) co_return net::problem(removed.error());
  // The row is gone first: what a crash leaves behind now is files that no answer names.
  const auto job = co_await context.jobs.queries().find(identity.user, removed->job);
  const auto upload = job ? string_member(jobs::input_of(*job), "upload") : std::nullopt;
  auto clear = [&context, id, upload] {
    context.folder.remove_files_of(id);
    if (upload) context.folder.remove_upload(JobId(*upload));
    return 0;
  };
  co_await context.blocking.run(std::move(clear));
  const json::object answer{
      {"success", true}, {"message", "The analysis and its files are deleted."}, {"deletedId", id.value()}};
  co_return net::json_response(200, answer);
}

}  // namespace

void add_history_routes(net::Router& router, const Context& context) {
  add_user_route(router, context, "GET", "/analyze/history", history,
                 {"page", "limit", "search", "sortBy", "sortOrder"});
  add_user_route(router, context, "DELETE", "/analyze/delete/{auditId}", remove);
}

}  // namespace rushes::api
