#pragma once
#include <cstddef>

namespace rushes::app {

/// Raises this process's limit of open files to the most that it may have, and logs what it is. Before any thread.
void raise_open_file_limit();

/// How many files and sockets this process may have open.
std::size_t open_file_limit();

/// How many client connections fit into `open_files`: all but a quarter, and at least 256 of them, which stay for the
/// database, workers and the files that requests read and write; where there are few, half. At most 100,000.
std::size_t connections_for(std::size_t open_files);

}  // namespace rushes::app
