// SPDX-License-Identifier: Apache-2.0
#include "api/node_catalog.h"

#include <gtest/gtest.h>

#include <string>

#include "api/replies.h"

namespace framelock::api {
namespace {

std::string HeaderOf(const net::HttpResponse& response, const std::string& name) {
  for (const auto& header : response.headers) {
    if (header.first == name) return header.second;
  }
  return "";
}

TEST(NodeCatalog, ClassesAreServedAsTheWorkerWroteThem) {
  NodeCatalog nodes;
  nodes.Take(std::string(R"({"Zoom": {"input": {"b": 1, "a": [1.0, 0.1]}}, "Also \"this\"": {}})"));
  EXPECT_EQ(ObjectInfoReply(nodes).status, 200u);
  EXPECT_EQ(ObjectInfoReply(nodes).body,
            R"({"Zoom":{"input":{"b":1,"a":[1.0,0.1]}},"Also \"this\"":{}})");
  EXPECT_EQ(NodeInfoReply(nodes, "Zoom").body, R"({"Zoom":{"input":{"b":1,"a":[1.0,0.1]}}})");
  EXPECT_EQ(NodeInfoReply(nodes, "Also \"this\"").body, R"({"Also \"this\"":{}})");
}

TEST(NodeCatalog, AnUnknownClassIsEmpty) {
  NodeCatalog nodes;
  nodes.Take(std::string("{}"));
  EXPECT_EQ(NodeInfoReply(nodes, "Zoom").status, 200u);
  EXPECT_EQ(NodeInfoReply(nodes, "Zoom").body, "{}");
}

TEST(NodeCatalog, BeforeTheListIsThereOneComesAgain) {
  const NodeCatalog nodes;
  EXPECT_TRUE(nodes.waiting());
  EXPECT_EQ(ObjectInfoReply(nodes).status, 503u);
  EXPECT_EQ(HeaderOf(ObjectInfoReply(nodes), "Retry-After"), "1");
  EXPECT_EQ(NodeInfoReply(nodes, "Zoom").status, 503u);
}

TEST(NodeCatalog, WhyThereIsNoListIsTold) {
  NodeCatalog nodes;
  nodes.Take(Error{ErrorCode::kUnavailable, "it ended with exit code 2"});
  EXPECT_FALSE(nodes.waiting());
  EXPECT_EQ(ObjectInfoReply(nodes).status, 501u);
  EXPECT_NE(NodeInfoReply(nodes, "Zoom").body.find("exit code 2"), std::string::npos);
}

TEST(NodeCatalog, WhatIsNoListIsNotTaken) {
  for (const char* text : {"", "usage: worker", "[]", "3", R"({"A": 1})", R"({"A": {})"}) {
    NodeCatalog nodes;
    nodes.Take(std::string(text));
    EXPECT_EQ(ObjectInfoReply(nodes).status, 501u) << text;
  }
  NodeCatalog nodes;
  nodes.Take(R"({"A":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}");
  EXPECT_EQ(ObjectInfoReply(nodes).status, 501u);
}

}  // namespace
}  // namespace framelock::api
