// SPDX-License-Identifier: Apache-2.0
#include "workers/protocol/error_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace framelock::protocol {
namespace {

std::string Stored(std::string_view text) {
  Completed message;
  message.error.fill('#');
  StoreErrorText(text, message.error);
  const auto end = std::ranges::find(message.error, '\0');
  EXPECT_TRUE(std::all_of(end, message.error.end(), [](char c) { return c == '\0'; }));
  return {message.error.begin(), end};
}

TEST(ErrorText, FitsAndEndsInZero) {
  EXPECT_EQ(Stored(""), "");
  EXPECT_EQ(Stored("node 3 (ImageBlur): too large"), "node 3 (ImageBlur): too large");
  EXPECT_EQ(Stored(std::string(199, 'a')), std::string(199, 'a'));
  EXPECT_EQ(Stored(std::string(500, 'a')), std::string(199, 'a'));
}

TEST(ErrorText, IsCutBetweenTwoCharacters) {
  for (const std::string character : {"ä", "€", "😀"}) {
    for (std::size_t front = 190; front < 200; ++front) {
      std::string text(front, 'a');
      for (int i = 0; i < 5; ++i) text += character;
      const std::string stored = Stored(text);
      EXPECT_LE(stored.size(), 199u);
      EXPECT_GT(stored.size() + character.size(), 199u);
      EXPECT_EQ((stored.size() - front) % character.size(), 0u) << character << front;
    }
  }
}

TEST(ErrorText, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(Stored("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(Stored("\xff\xfe"), "??");
  EXPECT_EQ(Stored("\xc3"), "?") << "cut short";
  EXPECT_EQ(Stored("\xc0\x80"), "??") << "overlong";
  EXPECT_EQ(Stored("\xed\xa0\x80"), "???") << "surrogate";
  EXPECT_EQ(Stored("\xf4\x90\x80\x80"), "????") << "beyond U+10FFFF";
  EXPECT_EQ(Stored("\xe2\x82x"), "??x");
}

TEST(ErrorText, AReceivedTextIsCheckedAndCleaned) {
  Completed message;
  message.error.fill('a');
  EXPECT_FALSE(CheckErrorText(message.error));
  message.error.back() = '\0';
  EXPECT_TRUE(CheckErrorText(message.error));
  message.error = {'a', '\n', '\0', 'h', 'i', 'd', 'd', 'e', 'n'};
  EXPECT_TRUE(CheckErrorText(message.error));
  EXPECT_EQ(std::string(message.error.data()), "a?");
  EXPECT_EQ(message.error[3], '\0');
}

}  // namespace
}  // namespace framelock::protocol
