// The load of the real-time benchmark: Socket.IO clients by the thousand, one thread, one line of JSON.
//   sio_load idle    memory of connections that do nothing
//   sio_load storm   connections opened as fast as the server takes them, cut all at once, opened again
//   sio_load fanout  events counted and timed, while the server emits (see --trigger)
#include "base/json.h"
#include "process.h"
#include "swarm.h"
#include "trigger.h"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

namespace rushes::bench {
namespace {

struct Plan {
  SwarmOptions swarm;
  pid_t server_pid = 0;
  int rounds = 3;
  std::string trigger;  // path and query on the port above the server's
  double warmup_s = 2;
  double window_s = 10;
  double settle_s = 1;
  double drain_s = 3;
};

void allow_files(std::size_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted) {
    throw std::runtime_error("the limit on open files is " + std::to_string(limit.rlim_max) + ", " +
                             std::to_string(wanted) + " are needed: raise it with ulimit -n");
  }
}

double in_ms(double ns) { return ns / 1e6; }
double in_us(double ns) { return ns / 1e3; }
double per(double amount, std::size_t count) { return count == 0 ? 0 : amount / static_cast<double>(count); }

json::object handshakes(const Swarm& swarm, double seconds) {
  const auto& times = swarm.handshakes();
  return {{"ready", swarm.ready()},
          {"seconds", seconds},
          {"connects_per_s", static_cast<double>(swarm.ready()) / seconds},
          {"handshake_ms", {{"p50", in_ms(times.quantile(0.5))}, {"p99", in_ms(times.quantile(0.99))}}}};
}

/// The first connection makes a server load the code that all later ones share; that is no cost of a connection.
void warm_up(const Plan& plan) {
  auto single = plan.swarm;
  single.sockets = 1;
  Swarm first(single);
  first.connect_all();
  first.cut_all();
}

json::object idle(Swarm& swarm, const Plan& plan) {
  warm_up(plan);
  const auto before = usage_of(plan.server_pid);
  const auto slab_before = kernel_slab_kib();
  auto report = handshakes(swarm, swarm.connect_all());
  swarm.run_for(plan.settle_s);
  if (!plan.trigger.empty()) trigger(static_cast<std::uint16_t>(plan.swarm.port + 1), plan.trigger).get();
  const auto after = usage_of(plan.server_pid);
  report["bytes_per_connection"] = per((after.resident_kib - before.resident_kib) * 1024, swarm.ready());
  report["kernel_bytes_both_ends"] = per((kernel_slab_kib() - slab_before) * 1024, swarm.ready());
  return report;
}

json::object storm(Swarm& swarm, const Plan& plan) {
  json::array rounds;
  for (int i = 0; i < plan.rounds; ++i) {
    const auto before = usage_of(plan.server_pid);
    auto round = handshakes(swarm, swarm.connect_all());
    round["server_cpu_s"] = usage_of(plan.server_pid).cpu_s() - before.cpu_s();
    rounds.push_back(std::move(round));
    swarm.cut_all();
  }
  return {{"rounds", std::move(rounds)}};
}

json::object fanout(Swarm& swarm, const Plan& plan) {
  auto report = handshakes(swarm, swarm.connect_all());
  swarm.run_for(plan.settle_s);
  auto tally = trigger(static_cast<std::uint16_t>(plan.swarm.port + 1), plan.trigger);
  swarm.run_for(plan.warmup_s);

  const auto counts_before = swarm.events_by_socket();
  const auto server_before = usage_of(plan.server_pid);
  const auto own_before = own_usage();
  const auto begin = monotonic_ns();
  swarm.open_window();
  swarm.run_for(plan.window_s);
  const auto window = swarm.close_window();
  const auto seconds = static_cast<double>(monotonic_ns() - begin) / 1e9;
  const auto server_after = usage_of(plan.server_pid);
  const auto own_after = own_usage();
  auto counts = swarm.events_by_socket();
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] -= counts_before[i];

  while (tally.wait_for(std::chrono::seconds(0)) != std::future_status::ready) swarm.run_for(0.02);
  swarm.drain(plan.drain_s);

  const auto cpu = server_after.cpu_s() - server_before.cpu_s();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  report["events_per_s"] = static_cast<double>(window.events) / seconds;
  report["bytes_per_event"] = per(static_cast<double>(window.bytes), window.events);
  report["events_per_read"] = per(static_cast<double>(window.events), window.reads);
  report["latency_us"] = {{"p50", in_us(window.latency.quantile(0.5))},
                          {"p99", in_us(window.latency.quantile(0.99))},
                          {"max", in_us(window.latency.largest())}};
  report["server_cpu"] = cpu / seconds;
  report["server_cpu_s_per_million"] = per(cpu * 1e6, window.events);
  report["server_user_s_per_million"] = per((server_after.user_s - server_before.user_s) * 1e6, window.events);
  report["load_cpu"] = (own_after.cpu_s() - own_before.cpu_s()) / seconds;
  report["least_of_a_socket"] = *least;
  report["most_of_a_socket"] = *most;
  report["received_in_all"] = swarm.total_events();
  if (auto told = parse_json(tally.get())) report["server"] = std::move(*told);
  return report;
}

void add_options(CLI::App& app, Plan& plan) {
  app.add_option("--port", plan.swarm.port, "The server's port on 127.0.0.1")->capture_default_str();
  app.add_option("--sockets", plan.swarm.sockets, "Connections")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--users", plan.swarm.users, "Different users (default: as many as sockets)");
  app.add_option("--secret", plan.swarm.secret, "Signs the tokens, HS256")->required();
  app.add_option("--in-flight", plan.swarm.in_flight, "Handshakes under way at once")->capture_default_str();
  app.add_option("--server-pid", plan.server_pid, "The process whose memory and CPU time are read");
  app.add_option("--trigger", plan.trigger, "Path to ask for on the port above, once all are connected");
  app.add_option("--rounds", plan.rounds, "Rounds of a storm")->capture_default_str();
  app.add_option("--warmup", plan.warmup_s, "Seconds before the window")->capture_default_str();
  app.add_option("--window", plan.window_s, "Seconds that are measured")->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
}

int run(int argc, char** argv) {
  CLI::App app("Socket.IO clients by the thousand");
  Plan plan;
  add_options(app, plan);
  auto* idle_mode = app.add_subcommand("idle", "Memory of connections that do nothing");
  auto* storm_mode = app.add_subcommand("storm", "Connects as fast as the server takes them");
  app.add_subcommand("fanout", "Events counted and timed");
  CLI11_PARSE(app, argc, argv);

  allow_files(plan.swarm.sockets + 200);
  Swarm swarm(plan.swarm);
  auto report = *idle_mode ? idle(swarm, plan) : *storm_mode ? storm(swarm, plan) : fanout(swarm, plan);
  report["lost"] = swarm.lost();
  if (!swarm.first_error().empty()) report["first_error"] = swarm.first_error();
  std::puts(json::serialize(report).c_str());
  return swarm.first_error().empty() ? 0 : 1;
}

}  // namespace
}  // namespace rushes::bench

int main(int argc, char** argv) {
  try {
    return rushes::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sio_load: %s\n", error.what());
    return 2;
  }
}
