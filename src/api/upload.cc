#include "api/incoming_file.h"
#include "api/multipart.h"
#include "api/request_digest.h"
#include "api/submission.h"
#include "base/json_writer.h"
#include "base/plain_text.h"
#include "base/text.h"
#include "jobs/job_json.h"
#include "jobs/transitions.h"

#include <algorithm>

namespace rushes::api {
namespace {

// What a form adds to its file: boundaries, heads, the other fields.
constexpr std::uint64_t kFormOverhead = std::uint64_t{64} << 10U;
constexpr std::uint64_t kReservedAtOnce = std::uint64_t{1} << 20U;  // of an upload without an announced length
constexpr std::size_t kMaxField = std::size_t{32} << 10U;
constexpr std::size_t kMaxFileName = 255;
constexpr std::size_t kBuffer = std::size_t{256} << 10U;

constexpr std::chrono::seconds kWhileReceived{5};

/// What came in by one form.
struct Form {
  bool repeated = false;  // its key is known: it is read to be compared, and not kept
  bool digested = false;
  std::unique_ptr<queue::DiskQuota::Reservation> room;  // not of one that is repeated
  std::unique_ptr<IncomingFile> file;
  std::string file_name;
  std::string configuration;
  std::string options;
  Unknown unknown;
};

/// What a form holds of the server's memory while it comes in: the reader's buffer, and the fields.
struct FormMemory {
  net::BodyReader& body;
  std::size_t buffer = MultipartReader::kFirstBuffer;
  std::size_t fields = 0;

  Result<void> hold() const { return body.hold(buffer + fields); }
  bool grow_buffer(std::size_t bytes) {
    const auto before = std::exchange(buffer, bytes);
    if (hold()) return true;
    buffer = before;
    return false;
  }
  Result<void> add_field() {
    fields += kMaxField;
    return hold();
  }
};

Error too_large(const Context& context) {
  return Error::for_user(
      Errc::too_large, "UPLOAD_TOO_LARGE",
      "The file is larger than the " + to_human_size(context.limits.max_upload_bytes) + " that this server takes.");
}

/// Reserves room for what is about to be written, in steps where no length was announced.
Task<Result<void>> make_room(const Context& context, Form& form, std::size_t bytes) {
  if (form.room == nullptr) co_return Result<void>();  // nothing of it is written
  const auto wanted = form.file->size() + bytes;
  if (wanted <= form.room->bytes()) co_return Result<void>();
  const auto left = context.limits.max_upload_bytes - form.room->bytes();
  const auto more = std::max(wanted - form.room->bytes(), std::min(kReservedAtOnce, left));
  co_return co_await context.quota.reserve(*form.room, more);
}

/// What the head alone decides: the size, then whether a further job may wait, then room for the file.
Task<Result<void>> check_head(const Context& context, const net::Request& request, const jobs::NewJob& job,
                              Form& form) {
  const auto length = request.stream->content_length().value_or(0);
  if (length > context.limits.max_upload_bytes + kFormOverhead) co_return too_large(context);
  if (form.repeated) co_return Result<void>();
  const auto most = context.jobs.limits().max_queued_per_user;
  const auto unfinished = co_await context.jobs.queries().unfinished(job.user);
  if (!unfinished) co_return unfinished.error();
  if (*unfinished >= most) co_return jobs::queue_limit(most);
  form.room = std::make_unique<queue::DiskQuota::Reservation>(context.quota, job.user);
  co_return co_await context.quota.reserve(*form.room, length);
}

Task<Result<void>> receive_file(const Context& context, MultipartReader& reader, const JobId& job, Form& form) {
  if (form.repeated) {
    form.file = IncomingFile::unwritten(context.blocking);
  } else {
    auto file = co_await IncomingFile::create(context.blocking, context.folder.upload(job));
    if (!file) co_return file.error();
    form.file = std::move(*file);
  }
  if (form.digested) form.file->take_digest();
  for (;;) {
    const auto bytes = co_await reader.read();
    if (!bytes) co_return bytes.error();
    if (bytes->empty()) co_return Result<void>();
    if (form.file->size() + bytes->size() > context.limits.max_upload_bytes) co_return too_large(context);
    auto room = co_await make_room(context, form, bytes->size());
    if (!room) co_return room;
    auto written = co_await form.file->write(*bytes);
    if (!written) co_return written;
    if (form.room != nullptr) form.room->wrote(bytes->size());
  }
}

Task<Result<std::string>> receive_field(MultipartReader& reader, std::string name) {
  std::string text;
  for (;;) {
    const auto bytes = co_await reader.read();
    if (!bytes) co_return bytes.error();
    if (bytes->empty()) co_return text;
    if (text.size() + bytes->size() > kMaxField) {
      co_return Error::for_user(Errc::too_large, "FIELD_TOO_LARGE",
                                "The field " + name + " is longer than " + to_human_size(kMaxField) + ".");
    }
    text += *bytes;
  }
}

Task<Result<void>> receive_form(const Context& context, MultipartReader& reader, const JobId& job, FormMemory& memory,
                                Form& form) {
  for (;;) {
    const auto part = co_await reader.next_part();
    if (!part) co_return part.error();
    if (!*part) co_return Result<void>();
    if ((*part)->name == "video" && (*part)->is_file && !form.file) {
      form.file_name = (*part)->file_name;
      const auto received = co_await receive_file(context, reader, job, form);
      if (!received) co_return received;
    } else if ((*part)->name == "configuration" || (*part)->name == "options") {
      auto& field = (*part)->name == "options" ? form.options : form.configuration;
      if (field.empty()) {
        if (auto held = memory.add_field(); !held) co_return held;
      }
      auto text = co_await receive_field(reader, (*part)->name);
      if (!text) co_return text.error();
      field = std::move(*text);
    } else if ((*part)->name != "video" || !(*part)->is_file) {
      note_unknown(form.unknown, "The field ", (*part)->name, {"configuration", "options", "video, which is a file"});
    }
  }
}

/// The last part of whatever path a client sent, without its suffix: what people call the video.
std::string title_of(std::string_view file_name) {
  const auto slash = file_name.find_last_of("/\\");
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  const auto dot = file_name.rfind('.');
  if (dot != std::string_view::npos && dot > 0) file_name = file_name.substr(0, dot);
  return is_utf8(file_name) ? shorten(trim(plain_line(file_name)), kMaxFileName) : std::string();
}

/// The JSON of a form's field; null where it is empty.
Result<json::value> json_field(const char* name, const char* code, const std::string& text) {
  if (text.empty()) return json::value(nullptr);
  auto value = parse_json(text);
  if (value) return value;
  return Error::for_user(Errc::invalid_argument, code,
                         "The field " + std::string(name) + " is " + value.error().what() + ".");
}

/// What the form's other fields say about the job.
Result<void> read_fields(const Context& context, Form& form, jobs::NewJob& job) {
  const auto configuration = json_field("configuration", "CONFIGURATION_INVALID", form.configuration);
  if (!configuration) return configuration.error();
  auto configured = read_configuration(&*configuration, jobs::JobType::upload, "", form.unknown);
  if (!configured) return configured.error();
  const auto options = json_field("options", "OPTIONS_INVALID", form.options);
  if (!options) return options.error();
  if (auto set = read_options(context, &*options, "", job, form.unknown); !set) return set;
  job.title = string_member(*configured, "title").value_or(title_of(form.file_name));
  const auto file_name = is_utf8(form.file_name) ? shorten(plain_line(form.file_name), kMaxFileName) : std::string();
  job.input = to_json_text(json::object{{"configuration", std::move(*configured)},
                                        {"fileName", file_name},
                                        {"size", form.file->size()},
                                        {"upload", job.id.value()}});
  return {};
}

/// Whether the job is there although its submit failed: a disk that would not say so in time has taken it.
Task<bool> stands(const Context& context, const Result<jobs::Submission>& submitted, UserId user, JobId job) {
  if (submitted.error().code() != Errc::unavailable) co_return false;
  const auto found = co_await context.jobs.queries().find(std::move(user), std::move(job));
  co_return found || found.error().code() != Errc::not_found;
}

/// Whether the request is surely not the one that `job` was made of: another type, or a body shorter than its file.
bool is_another(const jobs::Job& job, const net::BodyReader& body) {
  const auto size = int_member(jobs::input_of(job), "size").value_or(0);
  return job.type != jobs::JobType::upload ||
         body.content_length().value_or(UINT64_MAX) < static_cast<std::uint64_t>(size);
}

Task<net::Response> upload(const Context& context, net::Request& request, auth::Identity identity) {
  const auto boundary = multipart_boundary(request.headers.find("content-type").value_or(""));
  if (!boundary) co_return net::problem(boundary.error());
  auto job = begin_job(context, identity.user, jobs::JobType::upload);
  if (auto keyed = set_idempotency_key(request, job); !keyed) co_return net::problem(keyed.error());
  const auto hold = context.jobs.hold_key(identity.user, job.idempotency_key);
  if (!hold) co_return key_in_use("this Idempotency-Key", kWhileReceived);
  Form form;
  FormMemory memory{*request.stream};
  if (auto held = memory.hold(); !held) co_return net::problem(held.error());
  form.digested = !job.idempotency_key.empty();
  if (form.digested) {
    const auto before = co_await context.jobs.submitted_before(job);
    form.repeated = before.has_value();
    if (before && is_another(before->job, *request.stream)) co_return answer_of({before->job, true, true});
  }
  auto charge = context.jobs.charge(identity.user, form.repeated ? 0 : 1);
  if (charge.wait()) co_return over_rate(context, *charge.wait());
  const auto allowed_head = co_await check_head(context, request, job, form);
  if (!allowed_head) co_return net::problem(allowed_head.error());

  MultipartReader reader(
      *boundary, [&request](std::span<char> space) { return request.stream->read(space); }, kBuffer,
      [&memory](std::size_t bytes) { return memory.grow_buffer(bytes); });
  const auto received = co_await receive_form(context, reader, job.id, memory, form);
  if (!received) co_return net::problem(received.error());
  if (!form.file) {
    co_return net::problem(
        Error::for_user(Errc::invalid_argument, "UPLOAD_MISSING", "The form has no file in the field video."));
  }
  if (form.file->size() == 0) {
    co_return net::problem(Error::for_user(Errc::invalid_argument, "UPLOAD_EMPTY", "The file is empty."));
  }
  if (auto read = read_fields(context, form, job); !read) co_return net::problem(read.error());
  if (auto allowed = allow_unknown(request, std::move(form.unknown)); !allowed) co_return net::problem(allowed.error());
  if (form.digested) job.request_digest = request_digest(job, form.file->digest());
  if (form.repeated) {
    const auto before = co_await context.jobs.submitted_before(std::move(job));
    // Its job may have been forgotten meanwhile; sent again, this one is new.
    co_return before ? answer_of(*before) : net::problem(Error(Errc::unavailable, "the job of the key is gone"));
  }
  // The file is durable before the row that names it.
  const auto committed = co_await form.file->commit();
  if (!committed) co_return net::problem(committed.error());

  const auto id = job.id;
  const auto submitted = co_await context.jobs.submit(std::move(job));
  bool needed = submitted && !submitted->existed;
  if (!submitted) needed = co_await stands(context, submitted, identity.user, id);
  if (!needed) context.folder.remove_upload(id);
  if (!submitted) co_return net::problem(submitted.error());
  if (!submitted->existed) {
    charge.keep(1);
    co_await context.quota.tell_steps(identity.user);
  }
  co_return answer_of(*submitted);
}

}  // namespace

void add_upload_route(net::Router& router, const Context& context) {
  net::RouteOptions options;
  options.max_body = context.limits.max_upload_bytes + kFormOverhead;
  router.add("POST", "/analyze/upload", with_user(context, bound(context, upload)), options);
}

}  // namespace rushes::api
