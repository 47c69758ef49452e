// The store of the queue, driven as fast as it goes: one line of JSON. Everything that counts was durable first.
//   store_bench enqueue   jobs submitted one by one
//   store_bench bulk      jobs submitted by the thousand
//   store_bench noop      a backlog worked off by workers that do nothing
//   store_bench progress  progress of running jobs
//   store_bench flat      the same operations at ten thousand jobs and at ten million
#include "queue/flat.h"
#include "queue/rates.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace rushes::bench {
namespace {

int run(int argc, char** argv) {
  CLI::App app("The store of the queue, driven as fast as it goes");
  std::string parent = ".";
  RatePlan plan;
  FlatPlan flat;
  app.add_option("--folder", parent, "On the disk to be measured; what is made there is removed again")
      ->capture_default_str()
      ->check(CLI::ExistingDirectory);
  app.add_option("--in-flight", plan.in_flight, "Operations at a time")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", plan.seconds, "That are measured")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--body", plan.body_bytes, "Bytes of a job's transcript")->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();

  auto* enqueue = app.add_subcommand("enqueue", "Jobs submitted one by one");
  auto* bulk = app.add_subcommand("bulk", "Jobs submitted together");
  bulk->add_option("--size", plan.bulk, "Jobs at once")->capture_default_str()->check(CLI::PositiveNumber);
  auto* noop = app.add_subcommand("noop", "A backlog worked off by workers that do nothing");
  noop->add_option("--backlog", plan.backlog, "Jobs")->capture_default_str()->check(CLI::PositiveNumber);
  noop->add_option("--claimers", plan.claimers, "That share what is in flight")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_subcommand("progress", "Progress of running jobs");
  auto* flat_mode = app.add_subcommand("flat", "The same operations on a small and on a large database");
  flat_mode->add_option("--jobs", flat.many, "In the large one")->capture_default_str()->check(CLI::PositiveNumber);
  flat_mode->add_option("--few", flat.few, "In the small one")->capture_default_str()->check(CLI::PositiveNumber);
  flat_mode->add_option("--users", flat.users, "Owners of the jobs")->capture_default_str()->check(CLI::PositiveNumber);
  flat_mode->add_option("--rounds", flat.rounds, "Medians of")->capture_default_str()->check(CLI::PositiveNumber);
  flat_mode->add_option("--operations", flat.operations, "Of each kind in a round")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  if (*noop && plan.claimers > plan.in_flight) throw std::runtime_error("--claimers is more than --in-flight");

  flat.in_flight = plan.in_flight;
  flat.body_bytes = plan.body_bytes;
  const ScratchFolder folder(parent);
  const auto report = *enqueue     ? measure_enqueue(folder.path(), plan)
                      : *bulk      ? measure_bulk(folder.path(), plan)
                      : *noop      ? measure_noop(folder.path(), plan)
                      : *flat_mode ? measure_flat(folder.path(), flat)
                                   : measure_progress(folder.path(), plan);
  std::puts(json::serialize(report).c_str());
  return 0;
}

}  // namespace
}  // namespace rushes::bench

int main(int argc, char** argv) {
  try {
    return rushes::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "store_bench: %s\n", error.what());
    return 2;
  }
}
