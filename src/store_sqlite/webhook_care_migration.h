#pragma once

namespace rushes::store_sqlite {

// What a webhook's user changes, and how its endpoint fares. `previous_secret` signs too until `previous_until`;
// `failures` attempts in a row failed, the first at `failing_since`; nothing is sent before `hold_until`.
inline constexpr const char* kWebhookCare = R"sql(
ALTER TABLE webhooks ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN previous_secret TEXT;
ALTER TABLE webhooks ADD COLUMN previous_until INTEGER;
ALTER TABLE webhooks ADD COLUMN disabled_by INTEGER;
ALTER TABLE webhooks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN failing_since INTEGER;
ALTER TABLE webhooks ADD COLUMN hold_until INTEGER NOT NULL DEFAULT 0;
UPDATE webhooks SET disabled_by = 0 WHERE disabled_at IS NOT NULL;
)sql";

}  // namespace rushes::store_sqlite
