#pragma once
#include "pipelines/findings.h"
#include "pipelines/order.h"

namespace rushes::pipelines {

// What takes long is kept for a later attempt: a job whose worker crashed is not transcribed twice.

/// Keeps the transcript, and what engine heard it.
void keep_transcript(const Findings& findings, Reporter& reporter);
/// Sets both from what an earlier attempt kept; false where there is nothing, or nothing that can be read.
bool restore_transcript(const Order& order, Findings& findings);

}  // namespace rushes::pipelines
