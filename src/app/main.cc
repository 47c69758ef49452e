#include "app/program.h"

int main(int argc, char** argv) { return rushes::app::run_program(argc, argv); }
