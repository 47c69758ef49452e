#pragma once

namespace rushes::store_sqlite {

// A SHA-256 of the request that brought the key, so that another one with the same key is told from a repetition. Of
// keys from before it is empty: any request is taken for a repetition.
inline constexpr const char* kKeyDigests = "ALTER TABLE job_keys ADD COLUMN digest BLOB NOT NULL DEFAULT x''";

}  // namespace rushes::store_sqlite
