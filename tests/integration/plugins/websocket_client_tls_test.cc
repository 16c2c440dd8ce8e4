// SPDX-License-Identifier: Apache-2.0
#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <memory>

#include "pipeline/net/websocket_client.h"
#include "tests/integration/plugins/child.h"

namespace framelock::net {
namespace {

using namespace std::chrono_literals;
using framelock::testing::Child;
using framelock::testing::RunProgram;

// A peer with a certificate of its own making for "localhost".
class WebSocketClientTls : public ::testing::Test {
 protected:
  void SetUp() override {
    gchar* folder = g_dir_make_tmp(nullptr, nullptr);
    folder_ = folder;
    g_free(folder);
    certificate_ = folder_ + "/certificate.pem";
    key_ = folder_ + "/key.pem";
    ASSERT_TRUE(
        RunProgram({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    key_, "-out", certificate_}));
    peer_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/python3", FRAMELOCK_TLS_PEER, certificate_, key_});
  }
  void TearDown() override {
    g_unsetenv("SSL_CERT_FILE");
    peer_.reset();
    g_unlink(certificate_.c_str());
    g_unlink(key_.c_str());
    g_rmdir(folder_.c_str());
  }
  Result<WebSocketMessage> Greeting(const std::string& host, bool verify) {
    auto client = WebSocketClient::Open({.url = "wss://" + host + ":" + peer_->first_line() + "/",
                                         .reconnect = Reconnect::kNever,
                                         .verify_tls = verify});
    if (!client) return client.error();
    return (*client)->Receive(30s);
  }

  std::string folder_;
  std::string certificate_;
  std::string key_;
  std::unique_ptr<Child> peer_;
};

TEST_F(WebSocketClientTls, ATrustedCertificateForTheRightName) {
  g_setenv("SSL_CERT_FILE", certificate_.c_str(), TRUE);
  const auto greeting = Greeting("localhost", true);
  ASSERT_TRUE(greeting.ok()) << greeting.error().message;
  EXPECT_EQ(greeting->bytes.size(), 5u);
}

TEST_F(WebSocketClientTls, ATrustedCertificateForAnotherName) {
  g_setenv("SSL_CERT_FILE", certificate_.c_str(), TRUE);
  const auto greeting = Greeting("127.0.0.1", true);
  ASSERT_FALSE(greeting.ok());
  EXPECT_NE(greeting.error().message.find("TLS failed"), std::string::npos)
      << greeting.error().message;
}

TEST_F(WebSocketClientTls, AnUnknownCertificate) {
  const auto refused = Greeting("localhost", true);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  const auto greeting = Greeting("localhost", false);
  EXPECT_TRUE(greeting.ok()) << "verification was switched off";
}

}  // namespace
}  // namespace framelock::net
