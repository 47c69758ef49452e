#include "app/cli/commands.h"
#include "app/cli/progress_bar.h"
#include "app/cli/submission.h"
#include "app/cli/watch_command.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>

namespace rushes::app::cli {
namespace {

struct SubmitOptions {
  Connection connection;
  std::string source;
  std::string as;
  Choices choices;
  bool watch = false;
  bool show = false;
};

Error not_utf8(const std::string& source) {
  return Error::for_user(Errc::unsupported, "TRANSCRIPT_NOT_UTF8",
                         "The transcript '" + source +
                             "' is not UTF-8 text; convert it first, for instance with: iconv -f "
                             "WINDOWS-1252 -t UTF-8.");
}

Result<std::string> read_transcript(const std::string& source) {
  std::string text;
  if (source == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = read_file(source);
    if (!read) return read.error();
    text = std::move(*read);
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (!is_utf8(text)) return not_utf8(source);
  if (trim(text).empty()) {
    return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY", "The transcript '" + source + "' is empty.");
  }
  return text;
}

/// Shows how much of a file has been sent, at most ten times a second, and lets the watcher breathe.
class UploadBar {
 public:
  UploadBar(std::string name, bool quiet, Watcher* watcher) : name_(std::move(name)), watcher_(watcher) {
    if (!quiet && terminal_.live) board_ = std::make_unique<Board>(stdout);
  }

  void operator()(std::uint64_t sent, std::uint64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    if (watcher_ != nullptr) watcher_->pump();
    if (!board_ || of == 0) return;
    ProgressLine line{Mark::working,
                      name_,
                      static_cast<int>(sent * 100 / of),
                      "Sending " + to_human_size(sent) + " of " + to_human_size(of),
                      {}};
    if (sent >= of) line.text = "Sent " + to_human_size(of);
    board_->show({render_line(line, terminal_, size_of(stdout).columns, frame_++)});
  }

  /// Takes the bar away.
  void clear() {
    if (board_) board_->show({});
    board_ = nullptr;
  }

 private:
  std::string name_;
  Watcher* watcher_;
  Terminal terminal_ = Terminal::of(stdout);
  std::unique_ptr<Board> board_;
  std::chrono::steady_clock::time_point drawn_{};
  std::size_t frame_ = 0;
};

Result<json::object> send(Link& link, const SubmitOptions& options, SourceKind kind, Watcher* watcher) {
  const auto configuration = configuration_of(options.choices, kind == SourceKind::url ? options.source : "");
  if (kind == SourceKind::url) return link.http->post("/analyze/video", {{"configuration", configuration}});
  if (kind == SourceKind::transcript) {
    auto text = read_transcript(options.source);
    if (!text) return text.error();
    return link.http->post("/analyze/transcript", {{"transcript", *text}, {"configuration", configuration}});
  }
  const std::filesystem::path file(options.source);
  UploadBar bar(printable(file.filename().string()), options.connection.json, watcher);
  Upload upload{file, "video", {}, [&bar](std::uint64_t sent, std::uint64_t of) { bar(sent, of); }};
  if (!configuration.empty()) upload.texts.emplace_back("configuration", to_json_text(configuration));
  auto answer = link.http->upload("/analyze/upload", upload);
  bar.clear();
  return answer;
}

/// What the job will be called until the server says better.
std::string first_name(const SubmitOptions& options, SourceKind kind) {
  if (!options.choices.title.empty()) return options.choices.title;
  if (kind == SourceKind::url) return options.source;
  return options.source == "-" ? "transcript" : std::filesystem::path(options.source).filename().string();
}

int run(const SubmitOptions& options) {
  const bool json = options.connection.json;
  const auto kind = decide_source(options.source, options.as, look_at(options.source));
  if (!kind) {
    fail(kind.error(), json);
    return 2;
  }
  auto link = open_link(options.connection);
  if (!link) return fail(link.error(), json);

  std::unique_ptr<Watcher> watcher;
  if (options.watch || options.show) {
    watcher = std::make_unique<Watcher>(*link, Watcher::Options{.json = json});
    watcher->get_ready();
  }
  const auto answer = send(*link, options, *kind, watcher.get());
  if (!answer) return fail(answer.error(), json);
  JobView job;
  job.id = string_member(*answer, "jobId").value_or("");
  if (job.id.empty()) return fail(Error(Errc::malformed, "the server took the job but named none"), json);
  job.title = first_name(options, *kind);
  job.message = string_member(*answer, "message").value_or("");
  job.queue_position = int_member(*answer, "queuePosition").value_or(0);

  if (json) {
    print_json(*answer);
  } else {
    fmt::print("Job {}\n", job.id);
    if (!watcher) {
      if (!job.message.empty()) fmt::print("{}\n", printable(job.message));
      fmt::print("Follow it with: rushes watch {}\n", job.id);
    }
    std::fflush(stdout);
  }
  if (!watcher) return 0;
  const auto id = job.id;
  watcher->add(std::move(job), true);
  return watch_to_end(*watcher, *link, id, options.show, json);
}

}  // namespace

void add_submit(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<SubmitOptions>();
  auto* command = app.add_subcommand("submit", "Have a video, a recording or a transcript analysed");
  command
      ->add_option("SOURCE", options->source, "URL, media file, or transcript (.txt, .srt, .vtt; - is standard input)")
      ->required();
  command->add_option("--as", options->as, "What SOURCE is, where it cannot be told by its form")
      ->check(CLI::IsMember({"url", "file", "transcript"}));
  command->add_flag("--watch,-w", options->watch, "Watch the job until it has ended");
  command->add_flag("--show", options->show, "Watch it, then print the analysis");
  command->add_option("--language", options->choices.language, "Language, such as en")->type_name("LANGUAGE");
  command->add_option("--tone", options->choices.tone, "Tone of the texts, such as friendly")->type_name("TONE");
  command->add_option("--title", options->choices.title, "Title to work from")->type_name("TITLE");
  add_connection_options(*command, options->connection);
  command->footer(
      "With --watch the exit code is 1 when the job failed or was cancelled. With --json and --watch the\n"
      "first line is the answer to the submit; the others are the payloads of queue-update events.\n\n"
      "Examples:\n"
      "  rushes submit https://www.youtube.com/watch?v=dQw4w9WgXcQ --watch\n"
      "  rushes submit talk.mp4 --title 'How we test' --show\n"
      "  rushes submit captions.srt --language en --json | jq -r .jobId\n"
      "  pdftotext speech.pdf - | rushes submit -");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace rushes::app::cli
