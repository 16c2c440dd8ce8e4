// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/quantity.h"

#include <gtest/gtest.h>

#include "trickle/relay/json_text.h"

namespace framelock::relay {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, NumberAndUnit) {
  EXPECT_EQ(ParseDuration("500ms").value(), 500ms);
  EXPECT_EQ(ParseDuration("2s").value(), 2s);
  EXPECT_EQ(ParseDuration("5m").value(), 5min);
  EXPECT_EQ(ParseDuration("1h").value(), 1h);
  EXPECT_EQ(ParseDuration("0s").value(), 0s);
  for (const char* text : {"", "5", "s", "-1s", "1.5s", "5 s", "5M", "9999999999999h", "1d"}) {
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find(text), std::string::npos);
  }
}

TEST(ParseByteSize, NumberAndUnit) {
  EXPECT_EQ(ParseByteSize("4096").value(), 4096u);
  EXPECT_EQ(ParseByteSize("64K").value(), 64u << 10);
  EXPECT_EQ(ParseByteSize("16M").value(), 16u << 20);
  EXPECT_EQ(ParseByteSize("1G").value(), 1u << 30);
  for (const char* text : {"", "K", "-1", "1k", "1MB", "1.5M", "99999999999G"}) {
    EXPECT_FALSE(ParseByteSize(text).ok()) << text;
  }
}

TEST(JsonText, IsAlwaysValidJson) {
  EXPECT_EQ(JsonText("plain"), "\"plain\"");
  EXPECT_EQ(JsonText("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
  EXPECT_EQ(JsonText("gr\xC3\xBC\xC3\x9F \xF0\x9F\x8E\xA5"),
            "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x8E\xA5\"");
  // A lone continuation, an overlong slash, a surrogate, a truncated sequence.
  EXPECT_EQ(JsonText("\x80"), "\"\\ufffd\"");
  EXPECT_EQ(JsonText("\xC0\xAF"), "\"\\ufffd\\ufffd\"");
  EXPECT_EQ(JsonText("\xED\xA0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
  EXPECT_EQ(JsonText("x\xE2\x82"), "\"x\\ufffd\\ufffd\"");
}

}  // namespace
}  // namespace framelock::relay
