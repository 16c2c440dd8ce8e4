// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "workers/graph/json.h"
#include "workers/nodes/builtin.h"

namespace framelock::graph {
namespace {

using testing::HasSubstr;

std::string Chain(const std::string& middle, const std::string& last) {
  return R"({"1":{"class_type":"LoadTensor","inputs":{}},)" + middle +
         R"("9":{"class_type":"SaveTensor","inputs":{"images":[")" + last + R"(",0]}}})";
}

const std::string kIdentity = Chain("", "1");
const std::string kInvert =
    Chain(R"("2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},)", "2");
const std::string kHalf = Chain(
    R"("2":{"class_type":"ImageScale","inputs":{"image":["1",0],"upscale_method":"nearest-exact",
       "width":2,"height":1,"crop":"disabled"}},)",
    "2");

std::string Fault(const std::string& name, const std::string& inputs) {
  return Chain(
      "\"2\":{\"class_type\":\"" + name + R"(","inputs":{"image":["1",0])" + inputs + "}},", "2");
}

class SessionTest : public testing::Test {
 protected:
  SessionTest() : frame_(8 * 2) {
    for (std::size_t i = 0; i < frame_.size(); ++i) {
      frame_[i] = static_cast<std::byte>(i * 16);
    }
  }
  // Two pixels wide, two rows, two bytes of padding in each.
  Result<Session::Shape> Run() {
    return session_->Run({.bytes = frame_, .shape = {2, 2, 3}, .stride = 8});
  }
  Result<Session::Shape> RunAndWrite(std::vector<int>& numbers) {
    Result<Session::Shape> shape = Run();
    if (shape.ok()) {
      std::vector<std::byte> out(std::size_t{shape->width} * shape->height * 3);
      const Status written = session_->WriteOutput(
          {.bytes = out, .channels = 3, .stride = std::size_t{shape->width} * 3});
      EXPECT_TRUE(written.ok()) << written.error().message;
      for (const std::byte byte : out) {
        numbers.push_back(std::to_integer<int>(byte));
      }
    }
    return shape;
  }
  Json Rejection(const std::string& prompt) {
    const auto rejected = session_->Prepare(prompt);
    return rejected ? Json::parse(rejected->errors_json) : Json();
  }

  NodeRegistry registry_ = std::move(*nodes::BuiltinNodes(nodes::FaultNodes::kPresent));
  std::unique_ptr<Session> session_ = std::move(*Session::Create(registry_));
  std::vector<std::byte> frame_;
};

// Without room for a single tensor, only what stays bytes can run.
TEST_F(SessionTest, AGraphThatChangesNothingMakesNoTensor) {
  session_ = std::move(*Session::Create(registry_, {.execution = {.max_tensor_bytes = 16}}));
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  EXPECT_EQ(*session_->Probe({2, 2, 3}), (Session::Shape{2, 2, 3}));
  std::vector<int> numbers;
  const Result<Session::Shape> shape = RunAndWrite(numbers);
  ASSERT_TRUE(shape.ok()) << shape.error().message;
  EXPECT_EQ(*shape, (Session::Shape{2, 2, 3}));
  EXPECT_EQ(numbers, (std::vector<int>{0, 16, 32, 48, 64, 80, 128, 144, 160, 176, 192, 208}));
  ASSERT_TRUE(Rejection(kInvert).is_null());
  EXPECT_EQ(Run().error().code, ErrorCode::kResourceLimit);
}

TEST_F(SessionTest, WhatStaysBytesHasNoAlphaOfItsOwn) {
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  ASSERT_TRUE(session_->Run({.bytes = frame_, .shape = {2, 2, 4}, .stride = 8}).ok());
  std::vector<std::byte> out(16, std::byte{7});
  ASSERT_TRUE(session_->WriteOutput({.bytes = out, .channels = 4, .stride = 8}).ok());
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], i % 4 == 3 ? std::byte{255} : frame_[i]) << i;
  }
}

TEST_F(SessionTest, WhatStaysBytesIsCheckedLikeAnyFrame) {
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  EXPECT_EQ(session_->Run({.bytes = frame_, .shape = {3, 2, 3}, .stride = 8}).error().code,
            ErrorCode::kInvalidArgument);
  ASSERT_TRUE(Run().ok());
  std::vector<std::byte> out(11);
  EXPECT_EQ(session_->WriteOutput({.bytes = out, .channels = 3, .stride = 6}).error().code,
            ErrorCode::kResourceLimit);
  ASSERT_TRUE(Rejection(kInvert).is_null());
  std::vector<std::byte> room(12);
  EXPECT_EQ(session_->WriteOutput({.bytes = room, .channels = 3, .stride = 6}).error().code,
            ErrorCode::kUnavailable);
}

TEST_F(SessionTest, NothingRunsWithoutAPrompt) {
  EXPECT_FALSE(session_->has_prompt());
  EXPECT_EQ(Run().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(session_->Probe({2, 2, 3}).error().code, ErrorCode::kUnavailable);
  std::byte byte;
  EXPECT_EQ(session_->WriteOutput({.bytes = {&byte, 1}, .stride = 3}).error().code,
            ErrorCode::kUnavailable);
}

TEST_F(SessionTest, BytesComeBackUnchangedAndPaddingStaysOut) {
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  std::vector<int> numbers;
  ASSERT_TRUE(RunAndWrite(numbers).ok());
  EXPECT_EQ(numbers, (std::vector<int>{0, 16, 32, 48, 64, 80, 128, 144, 160, 176, 192, 208}));
}

TEST_F(SessionTest, ARefusedPromptLeavesTheOldOneAtWork) {
  ASSERT_TRUE(Rejection(kHalf).is_null());
  const Json refused = Rejection(
      Chain(R"("2":{"class_type":"ImageBlur","inputs":{"image":["1",0],"sigma":1.0}},)", "2"));
  EXPECT_EQ(refused["error"]["type"], "prompt_outputs_failed_validation");
  EXPECT_EQ(refused["node_errors"]["2"]["errors"][0]["type"], "required_input_missing");
  EXPECT_EQ(Rejection("{")["error"]["type"], "invalid_prompt");
  EXPECT_EQ(Rejection(R"({"1":{"class_type":"LoadTensor","inputs":{}}})")["error"]["message"],
            "missing output");
  EXPECT_EQ(Rejection(Chain(R"("2":{"class_type":"Nope"},)", "1"))["error"]["type"],
            "missing_node_type");
  const Result<Session::Shape> shape = Run();
  ASSERT_TRUE(shape.ok());
  EXPECT_EQ(*shape, (Session::Shape{2, 1, 3}));
}

TEST_F(SessionTest, ACycleIsExplained) {
  const Json refused = Rejection(Chain(
      R"("2":{"class_type":"ImageInvert","inputs":{"image":["3",0]}},
         "3":{"class_type":"ImageInvert","inputs":{"image":["2",0]}},)",
      "2"));
  EXPECT_THAT(refused["error"]["details"].get<std::string>(),
              HasSubstr("Dependency cycle: 2 -> 3 -> 2"));
}

TEST_F(SessionTest, PicturesBecomeTheStream) {
  ASSERT_TRUE(Rejection(R"({"1":{"class_type":"LoadImage","inputs":{"image":"a.png"}},
    "2":{"class_type":"PreviewImage","inputs":{"images":["1",0]}}})")
                  .is_null());
  EXPECT_TRUE(Run().ok());
}

TEST_F(SessionTest, ProbeTellsTheShapeOfAnySize) {
  ASSERT_TRUE(Rejection(kInvert).is_null());
  EXPECT_EQ(*session_->Probe({640, 360, 3}), (Session::Shape{640, 360, 3}));
  EXPECT_EQ(*session_->Probe({1, 1, 4}), (Session::Shape{1, 1, 3}));
  EXPECT_FALSE(session_->Probe({0, 1, 3}).ok());
  ASSERT_TRUE(Rejection(kHalf).is_null());
  EXPECT_EQ(*session_->Probe({640, 360, 3}), (Session::Shape{2, 1, 3}));
}

TEST_F(SessionTest, FramesThatLieAreRefused) {
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  const std::span<const std::byte> bytes = frame_;
  EXPECT_FALSE(session_->Run({.bytes = bytes, .shape = {2, 3, 3}, .stride = 8}).ok());
  EXPECT_FALSE(session_->Run({.bytes = bytes, .shape = {2, 2, 3}, .stride = 5}).ok());
  EXPECT_FALSE(session_->Run({.bytes = bytes, .shape = {2, 2, 2}, .stride = 8}).ok());
  EXPECT_TRUE(session_->Run({.bytes = bytes.first(14), .shape = {2, 2, 3}, .stride = 8}).ok());
}

TEST_F(SessionTest, ASmallSlotIsRefusedAndUntouched) {
  ASSERT_TRUE(Rejection(kInvert).is_null());
  ASSERT_TRUE(Run().ok());
  std::vector<std::byte> out(11, std::byte{7});
  const Status written = session_->WriteOutput({.bytes = out, .channels = 3, .stride = 6});
  EXPECT_EQ(written.error().code, ErrorCode::kResourceLimit);
  EXPECT_EQ(out, std::vector<std::byte>(11, std::byte{7}));
}

TEST_F(SessionTest, FourChannelsCarryFullAlpha) {
  ASSERT_TRUE(Rejection(kIdentity).is_null());
  const auto shape = session_->Run({.bytes = frame_, .shape = {2, 2, 4}, .stride = 8});
  ASSERT_TRUE(shape.ok());
  std::vector<std::byte> out(16);
  ASSERT_TRUE(session_->WriteOutput({.bytes = out, .channels = 4, .stride = 8}).ok());
  EXPECT_EQ(out[3], std::byte{255});
  EXPECT_EQ(out[4], frame_[4]);
  EXPECT_EQ(out[14], frame_[14]);
}

TEST_F(SessionTest, AFailingNodeIsNamedAndLeavesNoResult) {
  ASSERT_TRUE(Rejection(Fault("FaultError", R"(,"text":"it broke","after":1)")).is_null());
  EXPECT_TRUE(session_->Probe({2, 2, 3}).ok());
  EXPECT_TRUE(Run().ok());
  const Result<Session::Shape> second = Run();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "node 2 (FaultError): it broke");
  std::vector<std::byte> out(12);
  EXPECT_FALSE(session_->WriteOutput({.bytes = out, .channels = 3, .stride = 6}).ok());
}

TEST_F(SessionTest, ASwitchIsNotAskedWhatItTakesForAnAnswer) {
  const std::string branches = R"("on_false":["2",0],"on_true":["2",0]}},)";
  ASSERT_TRUE(
      Rejection(Chain(R"("2":{"class_type":"ImageInvert","inputs":{"image":["1",0]}},)"
                      R"("3":{"class_type":"ComfySwitchNode","inputs":{"switch":true,)" +
                          branches +
                          R"("4":{"class_type":"ComfySwitchNode","inputs":{"switch":["3",0],)" +
                          R"("on_false":["5",0],"on_true":["5",0]}},)"
                          R"("5":{"class_type":"ImageInvert","inputs":{"image":["2",0]}},)",
                      "4"))
          .is_null());
  const Result<Session::Shape> ran = Run();
  ASSERT_FALSE(ran.ok());
  EXPECT_EQ(ran.error().message,
            "node 4 (ComfySwitchNode): input 'switch' takes a BOOLEAN, not an IMAGE");
}

TEST_F(SessionTest, RehearsalsDoNotFault) {
  ASSERT_TRUE(Rejection(Fault("FaultWrongSequence", "")).is_null());
  EXPECT_TRUE(session_->Probe({2, 2, 3}).ok());
  EXPECT_FALSE(session_->fault_hooks().wrong_sequence);
  EXPECT_TRUE(Run().ok());
  EXPECT_TRUE(session_->fault_hooks().wrong_sequence);
}

TEST_F(SessionTest, FaultNodesNeedToBeAskedFor) {
  const NodeRegistry plain = std::move(*nodes::BuiltinNodes());
  EXPECT_EQ(plain.Find("FaultCrash"), nullptr);
  EXPECT_NE(registry_.Find("FaultCrash"), nullptr);
}

TEST_F(SessionTest, MemoryIsBounded) {
  SessionOptions options;
  options.execution.max_tensor_bytes = 1000;
  auto small = std::move(*Session::Create(registry_, options));
  ASSERT_FALSE(small->Prepare(kInvert));
  EXPECT_TRUE(small->Probe({4, 4, 3}).ok());
  EXPECT_EQ(small->Probe({100, 100, 3}).error().code, ErrorCode::kResourceLimit);
  EXPECT_TRUE(small->Probe({4, 4, 3}).ok());
}

}  // namespace
}  // namespace framelock::graph
