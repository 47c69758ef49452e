#pragma once
#include "auth/sign_in_watch.h"
#include "notifications/model.h"

namespace rushes::gateways {

/// What a security alert says to its user.
notifications::NewNotification notice_of(const auth::SecurityAlert& alert);

}  // namespace rushes::gateways
