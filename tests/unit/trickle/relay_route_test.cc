// SPDX-License-Identifier: Apache-2.0
#include "trickle/relay/route.h"

#include <gtest/gtest.h>

namespace framelock::relay {
namespace {

using Kind = Route::Kind;
using SeqKind = SeqReference::Kind;

TEST(ParseSeq, ReadsNumbersAsTheReferenceDoes) {
  EXPECT_EQ(ParseSeq("0"), (SeqReference{SeqKind::kExact, 0}));
  EXPECT_EQ(ParseSeq("+7"), (SeqReference{SeqKind::kExact, 7}));
  EXPECT_EQ(ParseSeq("007"), (SeqReference{SeqKind::kExact, 7}));
  EXPECT_EQ(ParseSeq("-0"), (SeqReference{SeqKind::kExact, 0}));
  EXPECT_EQ(ParseSeq("-1"), (SeqReference{SeqKind::kNext, 0}));
  EXPECT_EQ(ParseSeq("-2"), (SeqReference{SeqKind::kCurrent, 0}));
  EXPECT_EQ(ParseSeq("4611686018427387904"), (SeqReference{SeqKind::kExact, kMaxSeq}));
}

TEST(ParseSeq, RefusesEverythingElse) {
  for (const char* text : {"", "abc", "-3", "-5", "-6", "1x", " 1", "1 ", "--1", "+-1", "0x1",
                           "1.0", "4611686018427387905", "99999999999999999999999"}) {
    EXPECT_EQ(ParseSeq(text), std::nullopt) << text;
  }
}

struct RouteCase {
  const char* method;
  const char* path;
  Kind kind;
  const char* channel;
};

TEST(ParseRoute, Table) {
  const RouteCase cases[] = {
      {"POST", "/b/ch", Kind::kCreateChannel, "ch"},
      {"DELETE", "/b/ch", Kind::kDeleteChannel, "ch"},
      {"GET", "/b/ch", Kind::kMethodNotAllowed, "ch"},
      {"POST", "/b/ch/0", Kind::kPublish, "ch"},
      {"POST", "/b/ch/-1", Kind::kPublish, "ch"},
      {"POST", "/b/ch/-2", Kind::kBadSeq, "ch"},
      {"POST", "/b/ch/next", Kind::kBadSeq, "ch"},
      {"GET", "/b/ch/-2", Kind::kRead, "ch"},
      {"HEAD", "/b/ch/0", Kind::kRead, "ch"},
      {"GET", "/b/ch/-3", Kind::kBadSeq, "ch"},
      {"GET", "/b/ch/", Kind::kBadSeq, "ch"},
      {"GET", "/b/ch/next", Kind::kNext, "ch"},
      {"DELETE", "/b/ch/3", Kind::kDeleteSegment, "ch"},
      {"DELETE", "/b/ch/-1", Kind::kBadSeq, "ch"},
      {"PUT", "/b/ch/0", Kind::kMethodNotAllowed, "ch"},
      {"GET", "/b/a%2Fb/0", Kind::kRead, "a/b"},
      {"GET", "/b/a%zz/0", Kind::kBadName, ""},
      {"GET", "/b/a%00/0", Kind::kBadName, ""},
      {"GET", "/b/a%0a/0", Kind::kBadName, ""},
      {"GET", "/b/ch/0/0", Kind::kNotFound, ""},
      {"GET", "/b//0", Kind::kNotFound, ""},
      {"GET", "/b/", Kind::kNotFound, ""},
      {"GET", "/ch/0", Kind::kNotFound, ""},
      {"GET", "*", Kind::kNotFound, ""},
      {"GET", "/_status", Kind::kStatus, ""},
  };
  for (const RouteCase& c : cases) {
    const Route route = ParseRoute(c.method, c.path, "/b/");
    EXPECT_EQ(route.kind, c.kind) << c.method << ' ' << c.path;
    EXPECT_EQ(route.channel, c.channel) << c.method << ' ' << c.path;
  }
  const Route long_name = ParseRoute("GET", "/b/" + std::string(256, 'x') + "/0", "/b/");
  EXPECT_EQ(long_name.kind, Kind::kBadName);
}

TEST(NormalizeBase, AddsSlashesAndRefusesOddPaths) {
  for (const char* base : {"x", "/x", "x/", "/x/"}) {
    EXPECT_EQ(NormalizeBase(base).value(), "/x/") << base;
  }
  EXPECT_EQ(NormalizeBase("").value(), "/");
  EXPECT_EQ(NormalizeBase("/ai/trickle").value(), "/ai/trickle/");
  for (const char* base : {"a b", "a?b", "a//b", "a%20b"}) EXPECT_FALSE(NormalizeBase(base).ok());
}

TEST(ParseDoorPath, TakesOnePart) {
  EXPECT_EQ(ParseDoorPath("/ws/ch"), "ch");
  EXPECT_EQ(ParseDoorPath("/ws/a%2Fb"), "a/b");
  for (const char* path : {"/ws/", "/ws", "/ws/a/b", "/x/a", "/ws/%"}) {
    EXPECT_EQ(ParseDoorPath(path), std::nullopt) << path;
  }
}

TEST(QueryHas, FindsWholePairs) {
  EXPECT_TRUE(QueryHas("publish=1", "publish", "1"));
  EXPECT_TRUE(QueryHas("a=b&publish=1&c", "publish", "1"));
  for (const char* query : {"", "publish", "publish=", "publish=11", "xpublish=1", "publish=0"}) {
    EXPECT_FALSE(QueryHas(query, "publish", "1")) << query;
  }
}

}  // namespace
}  // namespace framelock::relay
