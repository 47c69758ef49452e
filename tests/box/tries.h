#pragma once
#include <string>
#include <vector>

namespace rushes::probe {

/// Where the test has laid out what a box must not reach.
struct Surroundings {
  int server = 0;           // its process
  std::string data_folder;  // of the server: `rushes.db`, and `uploads/other/source` of another user's
  int tcp_port = 0;         // a service on 127.0.0.1 of the host
  std::string path_socket;  // of the host, below /tmp
  std::string abstract;     // name of an abstract socket of the host
  int victim = 0;           // another process of the box's user: another job
};

/// One thing that code which has taken a job over would try.
struct Try {
  std::string name;
  bool passed = false;
  std::string why;  // where it was refused
};

/// Tries everything, in a box, and tells what came of it. Nothing is damaged where something passes, but that the
/// source is overwritten.
std::vector<Try> try_everything(const Surroundings& around);

}  // namespace rushes::probe
