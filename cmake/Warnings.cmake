add_library(rushes_warnings INTERFACE)
add_library(rushes::warnings ALIAS rushes_warnings)
target_compile_options(rushes_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
