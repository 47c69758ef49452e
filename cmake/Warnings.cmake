add_library(rushes_warnings INTERFACE)
add_library(rushes::warnings ALIAS rushes_warnings)
target_compile_options(rushes_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 takes Asio's own allocation of coroutine frames for a mismatch, and sees overflows in
  # inlined string operations that are none (GCC bugs 105329, 105651).
  target_compile_options(rushes_warnings INTERFACE
    -Wno-mismatched-new-delete -Wno-array-bounds -Wno-stringop-overread -Wno-stringop-overflow -Wno-restrict)
endif()
