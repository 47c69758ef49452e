set(RUSHES_SANITIZE "" CACHE STRING "Sanitizers for everything, as -fsanitize= takes them")
if(RUSHES_SANITIZE)
  add_compile_options(-fsanitize=${RUSHES_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RUSHES_SANITIZE})
  if(RUSHES_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Its data before a function's start cannot be emitted for coroutines (clang 14: "difference across sections").
    add_compile_options(-fno-sanitize=function)
  endif()
  if(RUSHES_SANITIZE MATCHES "thread")
    # GCC does not instrument std::atomic_thread_fence; Asio uses it for nothing we rely on.
    add_compile_options(-Wno-tsan)
  endif()
endif()

option(RUSHES_FUZZ "Instrument everything for libFuzzer, and build fuzz/; needs clang++" OFF)
if(RUSHES_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
