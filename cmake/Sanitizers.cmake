set(RUSHES_SANITIZE "" CACHE STRING "Sanitizers for everything, as -fsanitize= takes them")
if(RUSHES_SANITIZE)
  add_compile_options(-fsanitize=${RUSHES_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RUSHES_SANITIZE})
  if(RUSHES_SANITIZE MATCHES "thread")
    # GCC does not instrument std::atomic_thread_fence; Asio uses it for nothing we rely on.
    add_compile_options(-Wno-tsan)
  endif()
endif()
