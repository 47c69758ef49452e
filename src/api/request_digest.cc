#include "api/request_digest.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "jobs/job_json.h"

#include <openssl/evp.h>

#include <map>
#include <new>

namespace rushes::api {

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

void Sha256::add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

std::string Sha256::take() {
  std::string digest(32, '\0');
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

std::string Sha256::of(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.take();
}

std::string request_digest(const jobs::NewJob& job, std::string_view content) {
  // The members in the order of their names, at each level.
  std::map<std::string_view, json::value> configured;
  const auto input = parse_json(job.input);
  const auto* object = input && input->is_object() ? input->get_object().if_contains("configuration") : nullptr;
  if (object != nullptr && object->is_object()) {
    for (const auto& [name, value] : object->get_object()) configured.emplace(name, value);
  }
  json::object configuration;
  for (const auto& [name, value] : configured) configuration[name] = value;
  json::object options{{"priority", job.priority}};
  if (job.run_at) options["runAt"] = to_rfc3339(*job.run_at);
  if (!job.unique_key.empty()) options["uniqueKey"] = job.unique_key;
  const json::object canonical{{"configuration", std::move(configuration)},
                               {"content", base64url_encode(content)},
                               {"options", std::move(options)},
                               {"type", to_string(job.type)}};
  return Sha256::of(to_json_text(canonical));
}

}  // namespace rushes::api
