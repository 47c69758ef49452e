#pragma once
#include "store_sqlite/store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace rushes::store_sqlite {

/// A folder that is gone with its owner; in memory where the machine has that, as what the tests kill
/// is the process, not the machine.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const auto memory = std::filesystem::is_directory("/dev/shm");
    std::string name = (memory ? "/dev/shm/" : testing::TempDir()) + "rushes-store-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "rushes.db"; }

 private:
  std::filesystem::path path_;
};

/// A store in a folder of its own.
class TemporaryStore {
 public:
  explicit TemporaryStore(const Clock& clock, StoreOptions options = {}) : clock_(clock), options_(options) {
    reopen();
  }

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  void close() { store_.reset(); }
  void reopen() {
    close();
    store_ = std::move(Store::open(file(), options_, clock_, rng_).value());
  }
  std::filesystem::path file() const { return folder_.database(); }

 private:
  const Clock& clock_;
  const StoreOptions options_;
  SeededRng rng_{2};
  TemporaryFolder folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace rushes::store_sqlite
