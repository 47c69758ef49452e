#include "gateways/security_notices.h"

namespace rushes::gateways {

notifications::NewNotification notice_of(const auth::SecurityAlert& alert) {
  notifications::NewNotification notice;
  notice.user = alert.user;
  notice.type = notifications::Type::security;
  notice.severity = notifications::Severity::warning;
  notice.metadata = {{"network", alert.network}};
  if (alert.kind == auth::SecurityAlert::Kind::new_device) {
    notice.title = "Signed in from a new place and device";
    notice.message = "Your account was used from the network " + alert.network + " with " + alert.browser +
                     ", neither of which was seen before. If that was not you, sign out everywhere.";
    notice.metadata["browser"] = alert.browser;
  } else {
    notice.title = "Refused tokens in your name";
    notice.message = "At least " + std::to_string(auth::SignInWatch::kMany) +
                     " requests with bad tokens in your name came from the network " + alert.network +
                     " within an hour, and were refused. If one of your programs does that, give it a new token.";
  }
  return notice;
}

}  // namespace rushes::gateways
