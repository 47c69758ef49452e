#include "worker/job_loop.h"

#include "pipelines/run.h"
#include "worker/protocol.h"
#include "worker/sandbox.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

namespace rushes::worker {
namespace {

// Between two reports of one stage: as often as people can read.
constexpr std::chrono::milliseconds kReportInterval{250};

/// The worker's end of the socket pair. Threads: one receives, any sends.
class Channel {
 public:
  bool send(const FromWorker& message) const {
    const auto text = encode(message);
    const std::lock_guard lock(sending_);
    return write_all(encode_length(text.size())) && write_all(text);
  }

  std::optional<std::string> receive() const {
    std::string head(kLengthBytes, '\0');
    if (!read_all(head)) return std::nullopt;
    const auto length = decode_length(head);
    if (!length) return std::nullopt;
    std::string text(*length, '\0');
    if (!read_all(text)) return std::nullopt;
    return text;
  }

 private:
  static bool write_all(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(kWorkerFd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  static bool read_all(std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const auto got = ::recv(kWorkerFd, text.data() + at, text.size() - at, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += static_cast<std::size_t>(got);
    }
    return true;
  }

  mutable std::mutex sending_;
};

/// Says that the process is alive while it has an order: a pipeline may have nothing to tell for minutes.
class Heart {
 public:
  explicit Heart(const Channel& channel)
      : thread_([this, &channel] {
          std::unique_lock lock(mutex_);
          while (!over_.wait_for(lock, kBeatInterval, [this] { return stopped_; })) (void)channel.send(Alive());
        }) {}
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;
  ~Heart() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool stopped_ = false;
  std::thread thread_;
};

/// Thins out what a pipeline tells and sends it on.
class ChannelReporter final : public pipelines::Reporter {
 public:
  explicit ChannelReporter(const Channel& channel) : channel_(channel) {}

  void stage(int percent, std::string_view words) override {
    progress_.stage = words;
    tell(percent, words);
  }

  void detail(int percent, std::string_view message) override {
    if (std::chrono::steady_clock::now() - told_ < kReportInterval) return;
    if (percent == progress_.percent && message == progress_.message) return;
    tell(percent, message);
  }

  void title(std::string_view title) override { progress_.title = title; }

  void checkpoint(std::string_view name, std::string data) override {
    if (data.size() > kMaxCheckpointBytes) return;  // it is only work saved
    (void)channel_.send(Checkpoint{std::string(name), std::move(data)});
  }

 private:
  void tell(int percent, std::string_view message) {
    progress_.percent = percent;
    progress_.message = message;
    told_ = std::chrono::steady_clock::now();
    (void)channel_.send(Report{progress_});
  }

  const Channel& channel_;
  jobs::ProgressReport progress_;
  std::chrono::steady_clock::time_point told_;
};

// While the pipeline works, nobody reads: a server that died is noticed by its closed end.
void end_group_with_server() {
  std::thread([] {
    pollfd watched{kWorkerFd, POLLRDHUP, 0};
    while (::poll(&watched, 1, -1) < 0 && errno == EINTR) {
    }
    ::kill(0, SIGKILL);
  }).detach();
}

FromWorker answer(const pipelines::Order& order, pipelines::Engines& engines, pipelines::Reporter& reporter) {
  try {
    auto product = pipelines::run(order, engines, reporter);
    if (product) return Finished{std::move(*product)};
    const auto& error = product.error();
    log::info("worker", "job={} failed: {}", order.job.value(), error.what());
    return Failed{{std::string(error.public_name()), std::string(error.public_message()), error.retryable(), {}}};
  } catch (const std::exception& error) {
    log::error("worker", "job={} threw: {}", order.job.value(), error.what());
    return Failed{{"WORKER_ERROR", "The work stopped because of an error in the server.", true, {}}};
  }
}

}  // namespace

int run_job_loop(const std::function<Result<std::unique_ptr<pipelines::Engines>>()>& make_engines) {
  if (auto boxed = enter_sandbox(); !boxed) {
    log::error("worker", "{}", boxed.error().what());
    return EXIT_FAILURE;
  }
  end_group_with_server();
  const Channel channel;
  std::unique_ptr<pipelines::Engines> engines;
  while (const auto text = channel.receive()) {
    const auto order = decode_order(*text);
    if (!order) {
      log::error("worker", "{}", order.error().what());
      return EXIT_FAILURE;
    }
    const Heart heart(channel);
    if (!engines) {
      auto made = make_engines();
      if (!made) {
        const auto& error = made.error();
        log::error("worker", "{}", error.what());
        const jobs::Failure failure{
            std::string(error.public_name()), std::string(error.public_message()), error.retryable(), {}};
        (void)channel.send(Failed{failure});
        continue;
      }
      engines = std::move(*made);
    }
    ChannelReporter reporter(channel);
    if (!channel.send(answer(*order, *engines, reporter))) return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace rushes::worker
