// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace framelock {
namespace {

TEST(Utf8Length, CharactersOfOneToFourBytes) {
  EXPECT_EQ(Utf8Length("a\x80"), 1u);
  EXPECT_EQ(Utf8Length(std::string_view("\0", 1)), 1u);
  EXPECT_EQ(Utf8Length("\xC2\x80"), 2u);
  EXPECT_EQ(Utf8Length("\xDF\xBFx"), 2u);
  EXPECT_EQ(Utf8Length("\xE0\xA0\x80"), 3u);
  EXPECT_EQ(Utf8Length("\xED\x9F\xBF"), 3u);
  EXPECT_EQ(Utf8Length("\xEF\xBF\xBF"), 3u);
  EXPECT_EQ(Utf8Length("\xF0\x90\x80\x80"), 4u);
  EXPECT_EQ(Utf8Length("\xF4\x8F\xBF\xBF"), 4u);
}

TEST(Utf8Length, IllFormedIsNone) {
  for (const char* text : {"", "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
                           "\xC2"
                           "a",
                           "\xE0\x9F\xBF", "\xE1\x80", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_EQ(Utf8Length(text), 0u) << testing::PrintToString(std::string(text));
  }
}

}  // namespace
}  // namespace framelock
