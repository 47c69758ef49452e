#include "worker/job.h"

#include "base/log.h"
#include "box/channel.h"
#include "pipelines/run.h"
#include "worker/protocol.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <new>
#include <thread>

namespace rushes::worker {
namespace {

// Between two reports of one stage: as often as people can read.
constexpr std::chrono::milliseconds kReportInterval{250};

/// Says that the process is alive while it works: a pipeline may have nothing to tell for minutes.
class Heart {
 public:
  explicit Heart(const box::Channel& channel)
      : thread_([this, &channel] {
          const auto beat = encode(FromWorker(Alive()));
          std::unique_lock lock(mutex_);
          while (!over_.wait_for(lock, kBeatInterval, [this] { return stopped_; })) (void)channel.send(beat);
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
  explicit ChannelReporter(const box::Channel& channel) : channel_(channel) {}

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
    (void)channel_.send(encode(FromWorker(Checkpoint{std::string(name), std::move(data)})));
  }

 private:
  void tell(int percent, std::string_view message) {
    progress_.percent = percent;
    progress_.message = message;
    told_ = std::chrono::steady_clock::now();
    (void)channel_.send(encode(FromWorker(Report{progress_})));
  }

  const box::Channel& channel_;
  jobs::ProgressReport progress_;
  std::chrono::steady_clock::time_point told_;
};

FromWorker failed(const JobId& job, const Error& error) {
  log::info("worker", "job={} failed: {}", job.value(), error.what());
  return Failed{{std::string(error.public_name()), std::string(error.public_message()), error.retryable(), {}}};
}

FromWorker fetch(const pipelines::Order& order, Workshop& workshop, pipelines::Reporter& reporter) {
  auto fetcher = workshop.make_fetcher(order);
  if (!fetcher) return failed(order.job, fetcher.error());
  auto fetched = pipelines::fetch(order, **fetcher, reporter);
  if (!fetched) return failed(order.job, fetched.error());
  return Fetched{std::move(*fetched)};
}

FromWorker analyse(const pipelines::Order& order, Workshop& workshop, pipelines::Reporter& reporter) {
  if (!workshop.engines) return failed(order.job, workshop.engines.error());
  std::error_code unmade;  // whoever writes into it finds out
  std::filesystem::create_directory(order.output, unmade);
  auto product = pipelines::run(order, **workshop.engines, reporter);
  if (!product) return failed(order.job, product.error());
  return Finished{std::move(*product)};
}

FromWorker answer(box::Profile profile, const pipelines::Order& order, Workshop& workshop,
                  pipelines::Reporter& reporter) {
  try {
    return profile == box::Profile::fetch ? fetch(order, workshop, reporter) : analyse(order, workshop, reporter);
  } catch (const std::bad_alloc&) {
    return failed(order.job, Error::for_user(Errc::too_large, "JOB_OUT_OF_MEMORY",
                                             "The work needs more memory than this server allows for a job; send a "
                                             "smaller or simpler file."));
  } catch (const std::exception& error) {
    log::error("worker", "job={} threw: {}", order.job.value(), error.what());
    return Failed{{"WORKER_ERROR", "The work stopped because of an error in the server.", true, {}}};
  }
}

}  // namespace

int run_boxed_job(box::Profile profile, Workshop& workshop) {
  (void)::signal(SIGXFSZ, SIG_IGN);  // a write that is too large is an error, not a crash
  const box::Channel channel;
  const auto text = channel.receive();
  if (!text) return EXIT_FAILURE;
  const auto order = decode_order(*text);
  if (!order) {
    log::error("worker", "{}", order.error().what());
    return EXIT_FAILURE;
  }
  const Heart heart(channel);
  ChannelReporter reporter(channel);
  const auto end = answer(profile, *order, workshop, reporter);
  return channel.send(encode(end)) ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace rushes::worker
