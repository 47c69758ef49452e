// Tokens: nobody gets in without the secret, and a token of ours that is changed anywhere is refused.
#include "auth/jwt.h"
#include "base/json.h"
#include "require.h"

#include <string>

using namespace rushes;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const FakeClock clock;
  static const std::string secret = "a secret that is long enough for its algorithm";
  static const auth::TokenVerifier verifier(secret, clock);
  const auto text = fuzz::as_text(data, size);
  require(!verifier.verify(text), "nobody gets in without the secret");

  const auto claims = parse_json(text, 8);
  if (!claims || !claims->is_object()) return 0;
  const auto token = auth::sign_token(secret, claims->get_object());
  const auto identity = verifier.verify(token);
  if (!identity) return 0;
  require(!identity->user.value().empty(), "a token names its user");
  require(identity->expires_at > clock.now() - std::chrono::seconds(10), "an expired token is refused");
  const auto place = size % token.rfind('.');
  auto changed = token;
  changed[place] = changed[place] == 'A' ? 'B' : 'A';
  require(!verifier.verify(changed), "a changed token is refused");
  return 0;
}
