#include "sqlite/write_out.h"

#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <mutex>

namespace rushes::sqlite {
namespace {

struct Shared {
  int descriptor = -1;
  int users = 0;
};

std::mutex mutex;
std::map<std::string, Shared>& files() {  // by their paths; under the mutex
  static std::map<std::string, Shared> all;
  return all;
}

}  // namespace

WriteOut::WriteOut(const char* path) : path_(path) {
  const std::lock_guard lock(mutex);
  auto& [descriptor, users] = files()[path_];
  // With the first connection there may be no file yet.
  if (descriptor < 0) descriptor = ::open(path, O_WRONLY | O_CLOEXEC);
  ++users;
  descriptor_ = descriptor;
}

WriteOut::~WriteOut() {
  const std::lock_guard lock(mutex);
  const auto found = files().find(path_);
  if (--found->second.users > 0) return;
  if (found->second.descriptor >= 0) ::close(found->second.descriptor);
  files().erase(found);
}

void WriteOut::start() const noexcept {
  if (descriptor_ >= 0) ::sync_file_range(descriptor_, 0, 0, SYNC_FILE_RANGE_WRITE);
}

}  // namespace rushes::sqlite
