#include "auth/secret.h"

#include "base/file.h"
#include "base/text.h"

#include <sys/stat.h>

namespace rushes::auth {

Result<StoredSecret> load_or_create_secret(const std::filesystem::path& file, Rng& rng) {
  const auto stored = read_file(file, 4096);
  if (stored) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && (status.st_mode & 077U) != 0) {
      return Error(Errc::invalid_argument,
                   "others may read the secret " + file.string() + "; run: chmod 600 " + file.string());
    }
    const auto value = trim(*stored);
    if (value.empty()) return Error(Errc::invalid_argument, "the secret " + file.string() + " is empty; delete it");
    return StoredSecret{std::string(value), false};
  }
  if (stored.error().code() != Errc::not_found) return stored.error();

  auto value = rng.token(32);
  if (auto written = write_file_atomically(file, value + "\n", 0600); !written) return written.error();
  return StoredSecret{std::move(value), true};
}

}  // namespace rushes::auth
