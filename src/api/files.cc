#include "api/context.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>

namespace rushes::api {
namespace {

struct FileType {
  std::string_view suffix;
  std::string_view content_type;
};
// All that a worker puts there; nothing else is ever served.
constexpr std::array<FileType, 4> kFileTypes{{{".jpg", "image/jpeg"},
                                              {".webp", "image/webp"},
                                              {".vtt", "text/vtt; charset=utf-8"},
                                              {".srt", "application/x-subrip; charset=utf-8"}}};

const FileType* type_of(std::string_view name) {
  const bool plain = !name.empty() && name.size() < 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  if (!plain || name.front() == '.') return nullptr;
  const auto* found = std::find_if(kFileTypes.begin(), kFileTypes.end(),
                                   [&](const FileType& type) { return name.ends_with(type.suffix); });
  return found == kFileTypes.end() ? nullptr : found;
}

/// The file of that name in `folder`, open; nothing where there is no plain file. Symbolic links are not followed.
net::FileBody open_plain(const std::filesystem::path& folder, const std::string& name) {
  net::FileBody file{folder / name, 0, std::nullopt, nullptr};
  const FileDescriptor in(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  FileDescriptor opened(in ? ::openat(in.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1);
  struct stat about {};
  if (!opened || ::fstat(opened.get(), &about) != 0 || !S_ISREG(about.st_mode)) return file;
  file.length = static_cast<std::uint64_t>(about.st_size);
  file.opened = std::make_shared<FileDescriptor>(std::move(opened));
  return file;
}

// Without a token, so that <img> and <track> can show them: the key in the path, 128 random bits
// that stand only in the owner's result, is what lets the reader in. A ticket that comes along must be good.
Task<net::Response> serve(const Context& context, net::Request& request) {
  const auto& key = request.params.at("key");
  const auto& name = request.params.at("name");
  const auto* type = type_of(name);
  if (type == nullptr || !queue::DataFolder::is_files_key(key)) {
    co_return net::problem(Error(Errc::not_found, "no such file"));
  }
  if (const auto ticket = request.query_param("ticket")) {
    const auto holder = context.credentials.redeem(*ticket, request.path);
    if (!holder) co_return net::problem(holder.error());
  }
  auto open = [folder = context.folder.files(key), name] { return open_plain(folder, name); };
  auto file = co_await context.blocking.run(std::move(open));
  if (!file.opened) co_return net::problem(Error(Errc::not_found, "no such file"));
  auto response = net::file_response(request, std::move(file), type->content_type);
  response.headers.set("cache-control", "private, max-age=31536000, immutable");
  response.headers.set("x-content-type-options", "nosniff");
  response.headers.set("referrer-policy", "no-referrer");
  co_return response;
}

}  // namespace

void add_file_routes(net::Router& router, const Context& context) {
  router.add("GET", "/files/{key}/{name}", [&context](net::Request& request) { return serve(context, request); });
}

}  // namespace rushes::api
