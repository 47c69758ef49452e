#pragma once
#include "base/random.h"
#include "jobs/model.h"

#include <chrono>

namespace rushes::jobs {

/// Why an attempt failed, as far as it matters for another one.
enum class ErrorClass : std::uint8_t {
  permanent,  // another attempt would end the same: a dead URL, an unreadable file
  network,    // somebody else was away for a moment, or wants us to wait
  crash,      // the worker died: the job may well be the reason
  other,
};

ErrorClass class_of(const Failure& failure) noexcept;

/// How many attempts of a series may fail for a reason of this class, for a job that allows `max_attempts`: as many,
/// but none more after a permanent failure, and two more where the network was to blame.
int attempts_allowed(ErrorClass error, int max_attempts) noexcept;

/// How long a job waits before its next attempt, after `attempt` of them (from 1): doubled each time up to 5 minutes,
/// from 2 s, or 5 s where the network was to blame. A random half is taken off, so that what failed together does not
/// come back together.
std::chrono::milliseconds retry_delay(ErrorClass error, int attempt, Rng& rng);

/// The same where the attempt was lost with its server, after `failed` others: none the first time, so that one crash
/// costs no time, then as above and without chance. A server that crashes each time it starts does not wear out a job.
std::chrono::milliseconds pause_after_loss(int failed) noexcept;

}  // namespace rushes::jobs
