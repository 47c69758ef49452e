#pragma once
#include "app/cli/http_client.h"
#include "base/clock.h"
#include "base/result.h"

#include <CLI/CLI.hpp>
#include <boost/url/url.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace rushes::app::cli {

/// The environment of this process, for `load_config`.
std::map<std::string, std::string> environment_of_process();

/// Where a signing secret comes from: what `rushes serve` itself would use.
struct SecretPlace {
  std::filesystem::path config;    // empty: none
  std::filesystem::path data_dir;  // empty: as configured
};

/// What a token needs to be accepted by the server of this machine.
struct SigningSecret {
  std::string value;
  std::string issuer;    // empty: none is asked for
  std::string audience;  // the same
};

/// The secret that the server of this machine signs tokens with: the configured one (file,
/// environment), else the file `secret` of its data folder. It never makes one.
/// Errors: `not_found` (SECRET_MISSING); `invalid_argument` for a bad configuration.
Result<SigningSecret> find_secret(const SecretPlace& place);

/// A token for `sub`, valid for `ttl` from now on; `role` may be empty.
std::string make_token(const SigningSecret& secret, const std::string& sub, const std::string& role,
                       std::chrono::seconds ttl, const Clock& clock);

/// The name of who runs this program: USER, else as the system knows it.
std::string current_user();

/// What the commands that talk to a server have in common.
struct Connection {
  std::string server = "http://127.0.0.1:3000";
  std::string token;  // empty: signed here, for a server on this machine
  std::string sub;
  SecretPlace secret;
  bool json = false;
};

/// Adds the options of `connection` to `command`.
void add_connection_options(CLI::App& command, Connection& connection);

/// A server to talk to, and the token for it.
struct Link {
  boost::urls::url server;
  std::string token;
  std::unique_ptr<HttpClient> http;
};

/// Errors: `unauthenticated` (TOKEN_MISSING), saying how to get one; those of `find_secret`.
/// `role`: for the token that is signed here.
Result<Link> open_link(const Connection& connection, const std::string& role = {});

/// Says on standard error what went wrong (with `json`, as {error: {code, message}} on standard output) and
/// returns the exit code 1.
int fail(const Error& error, bool json);

/// One JSON document on a line of its own, on standard output, at once.
void print_json(const json::value& value);

}  // namespace rushes::app::cli
