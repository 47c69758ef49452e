// `rushes`, with a disk below its database that fails on demand.
//   FAULTS=FILE faulty_server serve …
// FILE has one line, read again within milliseconds of its change:
//   heal                          the disk is well
//   all ERROR                     nothing is taken
//   hold                          syncs of logs wait
//   late ERROR                    the one that waits succeeds; later ones fail, of what was written meanwhile
//   random PROBABILITY ERROR SEED [lose]   by chance; `lose`: a failed sync of a log loses what was written before it
// Once it is obeyed FILE.obeyed has the same line, and FILE.held is there once a sync has waited.
// ERROR is io, full or read_only. Worker processes open no database, and get no FAULTS.
#include "app/program.h"
#include "base/file.h"
#include "sqlite/testing/faulty_vfs.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <thread>

namespace rushes {
namespace {

void obey(const std::string& line, sqlite::Faults& faults) {
  std::istringstream words(line);
  std::string what;
  std::string error_name;
  std::string lose;
  double probability = 0;
  std::uint64_t seed = 0;
  words >> what;
  if (what == "random") words >> probability;
  words >> error_name >> seed >> lose;
  const auto error = error_name == "full"        ? sqlite::DiskError::full
                     : error_name == "read_only" ? sqlite::DiskError::read_only
                                                 : sqlite::DiskError::io;
  if (what == "hold") return faults.hold_log_syncs();
  if (what == "late") {
    faults.let_one_log_sync_go();
    faults.fail_all(error, sqlite::DiskOperation::sync);
    return faults.let_log_syncs_go();
  }
  faults.let_log_syncs_go();
  faults.heal();
  faults.lose_unsynced(lose == "lose" ? sqlite::Lost::logs : sqlite::Lost::nothing);
  if (what == "all") faults.fail_all(error);
  if (what == "random") faults.fail_randomly(probability, error, seed);
}

int run(int argc, char** argv) {
  const char* file = std::getenv("FAULTS");
  if (file == nullptr) return app::run_program(argc, argv);
  sqlite::Faults faults;
  const sqlite::FaultyVfs vfs(faults);
  const auto told = [file] {
    const auto line = read_file(file);
    return line ? *line : std::string("heal");
  };
  const auto obey_and_say = [&](const std::string& line) {
    obey(line, faults);
    (void)write_file_atomically(std::string(file) + ".obeyed", line, 0600);
  };
  obey_and_say(told());
  const std::jthread watcher([&](const std::stop_token& stop) {
    std::string last = told();
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      // An empty one is being written.
      if (auto now = told(); !now.empty() && now != last) obey_and_say(last = std::move(now));
      const auto held = std::string(file) + ".held";
      if (faults.is_holding_one() && !std::filesystem::exists(held)) (void)write_file_atomically(held, "", 0600);
    }
  });
  return app::run_program(argc, argv);
}

}  // namespace
}  // namespace rushes

int main(int argc, char** argv) { return rushes::run(argc, argv); }
