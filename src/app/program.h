#pragma once

namespace rushes::app {

/// The whole program `rushes`: what its arguments ask for. Gives its exit status; errors are on standard error.
int run_program(int argc, char** argv);

}  // namespace rushes::app
