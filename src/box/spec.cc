#include "box/spec.h"

#include "base/json.h"
#include "base/json_writer.h"

namespace rushes::box {
namespace {

bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::uint64_t number(const json::object& object, std::string_view key) {
  return static_cast<std::uint64_t>(int_member(object, key).value_or(0));
}

}  // namespace

std::string encode(const BoxSpec& spec) {
  const auto& walls = spec.walls;
  const auto& limits = spec.limits;
  const json::object object{{"fetch", spec.profile == Profile::fetch},
                            {"user", walls.user},
                            {"pid", walls.pid},
                            {"ipc", walls.ipc},
                            {"network", walls.network},
                            {"mount", walls.mount},
                            {"landlock", walls.landlock},
                            {"seccomp", walls.seccomp},
                            {"memory", limits.memory_bytes},
                            {"cpu", limits.cpu_seconds},
                            {"processes", limits.processes},
                            {"file", limits.file_bytes},
                            {"openFiles", limits.open_files},
                            {"scratch", limits.scratch_bytes},
                            {"readable", to_json_array(spec.readable)},
                            {"doorPort", spec.door_port},
                            {"scratchIsMount", spec.scratch_is_mount}};
  return to_json_text(object);
}

Result<BoxSpec> decode_box_spec(std::string_view text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return Error(Errc::malformed, "box: a specification that is not an object");
  const auto& object = value->get_object();
  BoxSpec spec;
  spec.profile = flag(object, "fetch") ? Profile::fetch : Profile::analysis;
  spec.walls = {flag(object, "user"),    flag(object, "pid"),   flag(object, "ipc"),
                flag(object, "network"), flag(object, "mount"), static_cast<int>(number(object, "landlock")),
                flag(object, "seccomp")};
  spec.limits = {number(object, "memory"), number(object, "cpu"),       number(object, "processes"),
                 number(object, "file"),   number(object, "openFiles"), number(object, "scratch")};
  if (const auto* readable = object.if_contains("readable"); readable != nullptr && readable->is_array()) {
    for (const auto& path : readable->get_array()) {
      if (path.is_string()) spec.readable.emplace_back(path.get_string());
    }
  }
  spec.door_port = static_cast<std::uint16_t>(number(object, "doorPort"));
  spec.scratch_is_mount = flag(object, "scratchIsMount");
  return spec;
}

}  // namespace rushes::box
