// SPDX-License-Identifier: Apache-2.0
#include "pipeline/net/url.h"

#include <gtest/gtest.h>

namespace framelock::net {
namespace {

TEST(Url, TakesApart) {
  const Result<Url> url = Url::Parse("HTTPS://Example.Org:8443/a%2Fb/c?x=1&y=2");
  ASSERT_TRUE(url.ok()) << url.error().message;
  EXPECT_EQ(url->scheme(), "https");
  EXPECT_TRUE(url->secure());
  EXPECT_EQ(url->host(), "example.org");
  EXPECT_EQ(url->port(), 8443);
  EXPECT_EQ(url->path(), "/a%2Fb/c");
  EXPECT_EQ(url->query(), "x=1&y=2");
  EXPECT_EQ(url->ToString(), "https://example.org:8443/a%2Fb/c?x=1&y=2");
}

TEST(Url, KnowsDefaults) {
  EXPECT_EQ(Url::Parse("http://h")->port(), 80);
  EXPECT_EQ(Url::Parse("https://h")->port(), 443);
  EXPECT_EQ(Url::Parse("http://h")->path(), "/");
  EXPECT_EQ(Url::Parse("http://h?q")->ToString(), "http://h:80/?q");
  EXPECT_EQ(Url::Parse("wss://h/x", {"ws", "wss"})->port(), 443);
}

TEST(Url, MakesChildrenBeforeTheQuery) {
  EXPECT_EQ(Url::Parse("http://h/a/b//?t=1")->Child("-2").ToString(), "http://h:80/a/b/-2?t=1");
  EXPECT_EQ(Url::Parse("http://h")->Child("x").path(), "/x");
}

TEST(Url, TakesAddresses) {
  EXPECT_EQ(Url::Parse("http://127.0.0.1:1/a")->host(), "127.0.0.1");
  EXPECT_EQ(Url::Parse("http://[2001:DB8::1]:99/a")->ToString(), "http://[2001:db8::1]:99/a");
  EXPECT_EQ(Url::Parse("http://[::1]/a")->host(), "::1");
  EXPECT_TRUE(Url::Parse("http://a_b-c.example.org./x").ok());
  EXPECT_TRUE(Url::Parse("http://10.example/x").ok());
}

class BadUrl : public ::testing::TestWithParam<const char*> {};

TEST_P(BadUrl, IsRefusedWithAReason) {
  const Result<Url> url = Url::Parse(GetParam());
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(url.error().message.starts_with("url: ")) << url.error().message;
  EXPECT_GT(url.error().message.size(), 10u);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadUrl,
    ::testing::Values("", "http", "http:", "http:/", "http:/h/p", "//h/p", "/p", "h/p", "http://",
                      "http:///p", "http://?q", "http://:80/p", "file:///etc/passwd",
                      "gopher://h/p", "ws://h/p", "javascript://h/p", "http://u@h/p",
                      "http://u:p@h/p", "http://h/p#f", "http://h:0/p", "http://h:65536/p",
                      "http://h:99999999999999999999/p", "http://h:-1/p", "http://h:8o/p",
                      "http://h:/p", "http://h: 80/p", "http://h/a b", "http://h/a\tb",
                      "http://h/\r\nHost: x", "http://h/\x7f", "http://h/\xc3\xa4", "http://h\\p",
                      "http://h/%", "http://h/%2", "http://h/%zz", "http://h/%00", "http://h/?%0",
                      "http://0x7f.1/p", "http://2130706433/p", "http://127.1/p",
                      "http://0177.0.0.1/p", "http://1.2.3.4.5/p", "http://256.1.1.1/p",
                      "http://0x/p", "http://a..b/p", "http://.a/p", "http://a!b/p",
                      "http://[::1/p", "http://[::1]x/p", "http://[1.2.3.4]/p", "http://[]/p",
                      "http://[fe80::1%25eth0]/p", "http://h/<p>", "http://h/{p}"));

TEST(Url, RefusesWhatIsTooLong) {
  const std::string base = "http://h/";
  EXPECT_TRUE(Url::Parse(base + std::string(Url::kMaxBytes - base.size(), 'a')).ok());
  EXPECT_FALSE(Url::Parse(base + std::string(Url::kMaxBytes - base.size() + 1, 'a')).ok());
  EXPECT_FALSE(Url::Parse("http://" + std::string(64, 'a') + "/p").ok());
  EXPECT_FALSE(Url::Parse("http://" + std::string(200, 'a') + "/p").ok());
}

TEST(Url, RefusesNul) { EXPECT_FALSE(Url::Parse(std::string_view("http://h/\0x", 11)).ok()); }

TEST(Url, DoesNotRepeatTheUrlInTheReason) {
  EXPECT_EQ(Url::Parse("http://user:secret@h/p").error().message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace framelock::net
