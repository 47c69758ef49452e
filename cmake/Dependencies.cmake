# Everything that comes from Debian, found in one place. What each is for and
# what it was chosen over: docs/dependencies.md.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(ICU 72 REQUIRED COMPONENTS uc i18n)
find_package(date REQUIRED)
pkg_check_modules(SQLITE3 REQUIRED IMPORTED_TARGET sqlite3>=3.40)
pkg_check_modules(LIBAV REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale libswresample)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
find_library(STEMMER_LIBRARY stemmer REQUIRED)
find_library(CLD2_LIBRARY cld2 REQUIRED)

# By hand, because the .pc files name an include path that Debian does not install.
pkg_check_modules(POCKETSPHINX REQUIRED pocketsphinx sphinxbase)
find_path(POCKETSPHINX_INCLUDE_DIR pocketsphinx.h PATH_SUFFIXES pocketsphinx REQUIRED)
find_path(SPHINXBASE_INCLUDE_DIR sphinx_config.h PATH_SUFFIXES sphinxbase REQUIRED)
add_library(rushes_pocketsphinx INTERFACE)
add_library(rushes::pocketsphinx ALIAS rushes_pocketsphinx)
target_link_libraries(rushes_pocketsphinx INTERFACE ${POCKETSPHINX_LINK_LIBRARIES})
target_include_directories(rushes_pocketsphinx SYSTEM INTERFACE ${POCKETSPHINX_INCLUDE_DIR} ${SPHINXBASE_INCLUDE_DIR})

# Asio and Beast compiled once, here, instead of in every file.
add_library(rushes_boost STATIC ${CMAKE_CURRENT_LIST_DIR}/boost_impl.cc)
add_library(rushes::boost ALIAS rushes_boost)
target_compile_features(rushes_boost PUBLIC cxx_std_20)
target_link_libraries(rushes_boost PUBLIC Boost::headers Boost::json Boost::url Threads::Threads)
target_compile_definitions(rushes_boost PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  BOOST_BEAST_SEPARATE_COMPILATION)

if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
find_package(benchmark REQUIRED)

find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers hit the cache only with these liberties.
  set(CMAKE_CXX_COMPILER_LAUNCHER env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE}) # so that a clone elsewhere finds something
endif()
find_program(MOLD mold)
if(MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()
