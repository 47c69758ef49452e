# rushes_library(name HDRS … SRCS … DEPS … PRIVATE_DEPS … [OBJECT])
#
# Declares the library of src/<name>: target rushes_<name>, alias rushes::<name>.
# DEPS are what its headers need, PRIVATE_DEPS what only its sources need.
function(rushes_library name)
  cmake_parse_arguments(A "OBJECT" "" "HDRS;SRCS;DEPS;PRIVATE_DEPS" ${ARGN})
  set(kind STATIC)
  if(A_OBJECT)
    set(kind OBJECT)
  endif()
  add_library(rushes_${name} ${kind} ${A_SRCS})
  add_library(rushes::${name} ALIAS rushes_${name})
  target_sources(rushes_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${A_HDRS}) # each must compile alone
  target_compile_features(rushes_${name} PUBLIC cxx_std_20)
  target_include_directories(rushes_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(rushes_${name} PUBLIC ${A_DEPS} PRIVATE ${A_PRIVATE_DEPS} rushes::warnings)
  if(name MATCHES "_(contract|testing)$")
    rushes_precompile_tests(rushes_${name})
  else()
    rushes_precompile(rushes_${name})
  endif()
endfunction()

# rushes_test(name SRCS … DEPS … [SLOW] [TIMEOUT seconds])
#
# Unit tests of one library, run one by one by ctest. With SLOW, `ctest -LE slow` leaves them out.
function(rushes_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(A "SLOW" "TIMEOUT" "SRCS;DEPS" ${ARGN})
  set(target rushes_${name}_test)
  set(label ${name}) # one only: gtest_discover_tests takes a list apart
  if(A_SLOW)
    set(target rushes_${name}_slow_test)
    set(label slow)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 60)
  endif()
  add_executable(${target} ${A_SRCS})
  target_link_libraries(${target} PRIVATE ${A_DEPS} rushes::warnings GTest::gmock GTest::gtest_main)
  if(TARGET rushes_${name})
    target_link_libraries(${target} PRIVATE rushes::${name})
  endif()
  rushes_precompile_tests(${target})
  gtest_discover_tests(${target} NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST
    PROPERTIES LABELS ${label} TIMEOUT ${A_TIMEOUT})
endfunction()

# rushes_bench(name SRCS … DEPS …): a Google Benchmark program, built on demand
# (`cmake --build … --target rushes_<name>_bench`), never run by the tests.
function(rushes_bench name)
  cmake_parse_arguments(A "" "" "SRCS;DEPS" ${ARGN})
  add_executable(rushes_${name}_bench EXCLUDE_FROM_ALL ${A_SRCS})
  target_link_libraries(rushes_${name}_bench PRIVATE ${A_DEPS} rushes::warnings benchmark::benchmark_main)
  if(TARGET rushes_${name})
    target_link_libraries(rushes_${name}_bench PRIVATE rushes::${name})
  endif()
endfunction()

# The allocator of servers. Sanitizers bring their own.
add_library(rushes_allocator INTERFACE)
if(NOT RUSHES_SANITIZE)
  target_link_libraries(rushes_allocator INTERFACE PkgConfig::JEMALLOC)
endif()
add_library(rushes::allocator ALIAS rushes_allocator)

# Targets that use Asio share a precompiled header; it halves the build. Tests are not optimised, whatever they test is:
# that takes their compiler half the time.
foreach(pch rushes_pch rushes_tests_pch)
  add_library(${pch} OBJECT ${CMAKE_CURRENT_LIST_DIR}/pch.cc)
  target_compile_features(${pch} PUBLIC cxx_std_20)
  target_link_libraries(${pch} PUBLIC rushes::boost PRIVATE rushes::warnings)
  target_precompile_headers(${pch} PRIVATE ${CMAKE_CURRENT_LIST_DIR}/pch.h)
  target_compile_options(${pch} PRIVATE -fpch-preprocess)
endforeach()
target_compile_options(rushes_tests_pch PRIVATE -O0)

function(rushes_precompile target)
  target_link_libraries(${target} PRIVATE rushes::boost)
  target_compile_options(${target} PRIVATE -fpch-preprocess)
  target_precompile_headers(${target} REUSE_FROM rushes_pch)
endfunction()

function(rushes_precompile_tests target)
  target_link_libraries(${target} PRIVATE rushes::boost)
  target_compile_options(${target} PRIVATE -fpch-preprocess -O0)
  target_precompile_headers(${target} REUSE_FROM rushes_tests_pch)
endfunction()
