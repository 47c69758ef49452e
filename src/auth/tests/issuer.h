#pragma once
#include "async/run.h"
#include "async/shards.h"
#include "auth/key_ring.h"
#include "auth/testing/signer.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

namespace rushes::auth {

/// An issuer's web server on this machine: what it answers can change while it runs.
class Issuer {
 public:
  Issuer() : shards_(1), http_(shards_, router_, options()) {
    router_.add("GET", "/jwks.json", [this](net::Request&) { return answer(); });
    router_.add("GET", "/moved.json", [this](net::Request&) { return redirect("/jwks.json"); });
    router_.add("GET", "/round.json", [this](net::Request&) { return redirect("/round.json"); });
    router_.add("GET", "/away.json", [this](net::Request&) { return redirect(elsewhere_); });
    shards_.start();
    port_ = http_.start().value();
  }
  ~Issuer() {
    release();
    run_to_end(run_on(shards_.executor(0), http_.stop(std::chrono::milliseconds(0))));
    shards_.stop();
  }

  std::string url(const std::string& path = "/jwks.json") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void serve(int status, std::string body) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    body_ = std::move(body);
  }
  void redirect_away_to(std::string url) { elsewhere_ = std::move(url); }
  /// From now on requests wait for `release`.
  void hold() { held_ = true; }
  void release() { held_ = false; }
  int requests() const { return requests_; }

 private:
  static net::HttpOptions options() {
    net::HttpOptions options;
    options.port = 0;
    return options;
  }
  Task<net::Response> answer() {
    ++requests_;
    while (held_) co_await sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(mutex_);
    co_return net::Response(status_, "application/json", body_);
  }
  static Task<net::Response> redirect(std::string to) {
    net::Response response(302);
    response.headers.add("Location", to);
    co_return response;
  }

  std::mutex mutex_;  // guards status_ and body_
  int status_ = 200;
  std::string body_;
  std::string elsewhere_;
  std::atomic<bool> held_{false};
  std::atomic<int> requests_{0};
  std::uint16_t port_ = 0;
  Shards shards_;
  net::Router router_;
  net::HttpServer http_;
};

inline KeySource at_url(std::string url) { return {KeySource::Kind::jwks_url, std::move(url), "jwt_jwks"}; }

inline json::object claims() { return {{"sub", "alice"}, {"exp", to_millis(SystemClock().now()) / 1000 + 60}}; }

class IssuerTest : public ::testing::Test {
 protected:
  Issuer issuer_;
  const testing::Signer a_ = testing::Signer::ed25519("a");
  const testing::Signer b_ = testing::Signer::ec("b");
  int issuer_status_ = 200;
};

}  // namespace rushes::auth
