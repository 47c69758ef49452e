#pragma once
#include "jobs/model.h"

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace rushes::api {

/// SHA-256 of what comes in pieces. Threads: single-owner.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// The 32 bytes; the last call.
  std::string take();

  static std::string of(std::string_view bytes);

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// What a repeated idempotency key is compared by: SHA-256 of the request as it was read, in the canonical form of
/// docs/api.md ("Idempotency keys"). `content` is the digest of the transcript or of the file.
std::string request_digest(const jobs::NewJob& job, std::string_view content);

}  // namespace rushes::api
