#include "auth/sign_outs.h"

#include "auth/claims.h"

#include <algorithm>

namespace rushes::auth {

void SignOuts::put(const SignOut& sign_out) {
  const std::lock_guard lock(mutex_);
  auto& moment = moments_[sign_out.user];
  moment = std::max(moment, sign_out.at);
  any_ = true;
}

Result<void> SignOuts::check(const Identity& identity) const {
  if (!any_) return {};
  const std::lock_guard lock(mutex_);
  const auto found = moments_.find(identity.user);
  if (found == moments_.end() || (identity.issued_at && *identity.issued_at >= found->second)) return {};
  const auto when = to_rfc3339(found->second);
  if (!identity.issued_at) {
    return token_invalid("its user signed out everywhere at " + when +
                         " and it does not say whether it is newer (iat); get one that does");
  }
  return token_invalid("its user signed out everywhere at " + when + ", after it was issued; sign in again");
}

}  // namespace rushes::auth
