#pragma once
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace rushes::box {

/// The test site of tests/site with its media, alive as long as this object. One for all the tests of a program.
class Site {
 public:
  /// Starts it on first use; the test program ends when that fails.
  static Site& shared();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site();

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const;
  /// What was asked of it, paths with queries, since it started.
  std::vector<std::string> seen() const;

 private:
  Site();
  pid_t process_ = -1;
  int stop_ = -1;  // the site ends when this is closed
  std::uint16_t port_ = 0;
};

/// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Sends `request` to a port of 127.0.0.1 and reads until the other side closes, at most `max` bytes.
std::string talk(std::uint16_t port, const std::string& request, std::size_t max = 1U << 20U);

/// Listens on a port of 127.0.0.1 and counts who connects: an address that nobody may reach.
class Trap {
 public:
  Trap();
  Trap(const Trap&) = delete;
  Trap& operator=(const Trap&) = delete;
  ~Trap();
  std::uint16_t port() const { return port_; }
  /// How many have connected so far.
  int caught();

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
  int caught_ = 0;
};

}  // namespace rushes::box
