// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "pipeline/process/child_process.h"
#include "trickle/subscriber.h"

namespace framelock::trickle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A channel behind a certificate that nobody has signed.
class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "framelock_tls_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    const auto made = process::ChildProcess::Spawn(
        {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                  "-keyout", folder_ / "key", "-out", folder_ / "certificate"}});
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE((*made)->Wait(seconds(20)).has_value());
    auto server = process::ChildProcess::Spawn(
        {.argv = {"python3", FRAMELOCK_TLS_SERVER, folder_ / "certificate", folder_ / "key",
                  folder_ / "port"}});
    ASSERT_TRUE(server.ok());
    server_ = std::move(*server);
    for (int i = 0; i < 1000 && port_.empty(); ++i) {
      std::ifstream(folder_ / "port") >> port_;
      std::this_thread::sleep_for(milliseconds(10));
    }
    ASSERT_FALSE(port_.empty());
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  SubscriberOptions Options() {
    SubscriberOptions options;
    options.url = "https://127.0.0.1:" + port_ + "/channel";
    return options;
  }

 private:
  std::filesystem::path folder_;
  std::string port_;
  std::unique_ptr<process::ChildProcess> server_;
};

TEST_F(Tls, RefusesAnUnknownCertificateByDefault) {
  auto subscriber = Subscriber::Open(Options());
  const Result<Piece> piece = (*subscriber)->Read(seconds(10));
  EXPECT_EQ(piece.error().code, ErrorCode::kInvalidArgument) << piece.error().message;
  EXPECT_NE(piece.error().message.find("certificate"), std::string::npos) << piece.error().message;
}

TEST_F(Tls, TakesItWhenToldNotToVerify) {
  SubscriberOptions options = Options();
  options.verify_tls = false;
  auto subscriber = Subscriber::Open(options);
  const Result<Piece> piece = (*subscriber)->Read(seconds(10));
  ASSERT_TRUE(piece.ok()) << piece.error().message;
  EXPECT_EQ(piece->bytes.size(), 6u);
  EXPECT_EQ((*subscriber)->Read(seconds(10)).error().code, ErrorCode::kClosed);
}

}  // namespace
}  // namespace framelock::trickle
