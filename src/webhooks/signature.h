#pragma once
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "webhooks/model.h"

#include <string>
#include <string_view>

namespace rushes::webhooks {

/// A new secret of 192 bits: `whsec_` and base64 (https://www.standardwebhooks.com, "Signature scheme").
std::string new_secret(Rng& rng);

/// Whether a user's own secret is one: `whsec_` and the base64 of 24 to 64 bytes.
bool is_secret(std::string_view text);

/// A signature of a message, as in the header `webhook-signature`: `v1,` and the base64 of an HMAC-SHA256 over
/// `id.timestamp.body`; the timestamp is in whole seconds, as in the header `webhook-timestamp`. Errors: `malformed`
/// for a secret that is none.
Result<std::string> signature_of(std::string_view secret, const DeliveryId& id, Timestamp at, std::string_view body);

}  // namespace rushes::webhooks
