#include "app/program.h"

// For jemalloc, which reads it before `main`: a hundred requests that wait for one commit keep and free a dozen frames
// each, all in the same moment. With the twenty that a thread keeps of a size by itself, each batch went to the arena.
extern "C" {
extern const char* const malloc_conf;
const char* const malloc_conf = "tcache_nslots_small_min:100";  // NOLINT(readability-identifier-naming): jemalloc's
}

int main(int argc, char** argv) { return rushes::app::run_program(argc, argv); }
