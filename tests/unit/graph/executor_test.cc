// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test_nodes.h"

namespace framelock::graph {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExecutorTest : public testing::Test {
 protected:
  void Take(const std::string& text) {
    Result<Prompt> prompt = Prompt::Parse(text);
    ASSERT_TRUE(prompt.ok()) << prompt.error().message;
    const Verdict verdict = Validate(registry_, *prompt);
    ASSERT_TRUE(verdict.valid) << verdict.ToJson();
    executor_ = std::make_unique<Executor>(Plan::Make(registry_, *prompt, verdict), pool_, faults_);
  }
  std::optional<NodeFailure> Run(float value) {
    Result<Tensor> frame = pool_.Allocate({1, 1, 1, 1});
    frame->mutable_data()[0] = value;
    return executor_->Run(std::move(*frame), FrameUse::kShown);
  }
  float Value(std::size_t sink = 0) { return executor_->result(sink).data()[0]; }

  std::vector<std::string> log_;
  NodeRegistry registry_ = TestNodes(log_);
  TensorPool pool_{1 << 20};
  FaultHooks faults_;
  std::unique_ptr<Executor> executor_;
};

// As in ComfyUI, where it would be an argument that the node does not know.
TEST_F(ExecutorTest, ALinkThatNoInputIsDeclaredForFailsItsNode) {
  Take(R"({"1":{"class_type":"Source","inputs":{}},
      "2":{"class_type":"Add","inputs":{"image":["1",0],"amount":1}},
      "3":{"class_type":"Add","inputs":{"image":["1",0],"amount":1,"word":["1",0],"more":2}},
      "4":{"class_type":"Sink","inputs":{"images":["2",0]}},
      "5":{"class_type":"Sink","inputs":{"images":["3",0]}}})");
  const std::optional<NodeFailure> failure = Run(1);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->ToString(), "node 3 (Add): got an unexpected keyword argument 'word'");
}

TEST_F(ExecutorTest, AnOptionalPictureThatIsNullIsOneThatIsNotThere) {
  const Status added =
      registry_.Add(MakeClass({.class_type = "MayHave",
                               .inputs = {ImageInput("image"), Optional(ImageInput("other")),
                                          Optional(IntInput("number", {}))},
                               .outputs = {{"IMAGE", "IMAGE"}}},
                              [](NodeCall& call) {
                                EXPECT_FALSE(call.Has(1));
                                call.SetOutput(0, call.TakeTensor(0));
                                return Status();
                              }));
  ASSERT_TRUE(added.ok());
  const auto prompt = [](const char* inputs) {
    return std::string(R"({"1":{"class_type":"Source","inputs":{}},"2":{"class_type":"MayHave",
        "inputs":{)") +
           inputs + R"(}},"3":{"class_type":"Sink","inputs":{"images":["2",0]}}})";
  };
  Take(prompt(R"("image":["1",0],"other":null)"));
  EXPECT_FALSE(Run(7));
  EXPECT_EQ(Value(), 7);
  Take(prompt(R"("image":null)"));
  EXPECT_TRUE(executor_->Load()) << "it is required";
}

// Its inputs never change, but what it is for has not been done when the prompt is rehearsed.
TEST_F(ExecutorTest, AnOutputThatGivesNothingToTheStreamActsOnceSomethingIsShown) {
  std::vector<FrameUse> uses;
  const Status added = registry_.Add(MakeClass({.class_type = "Act",
                                                .inputs = {IntInput("number", {})},
                                                .is_output = true,
                                                .sink = Medium::kNone},
                                               [&](NodeCall& call) {
                                                 uses.push_back(call.use());
                                                 return Status();
                                               }));
  ASSERT_TRUE(added.ok());
  Take(R"({"1":{"class_type":"Source","inputs":{}},"2":{"class_type":"Number","inputs":{}},
      "3":{"class_type":"Act","inputs":{"number":["2",0]}},
      "4":{"class_type":"Sink","inputs":{"images":["1",0]}}})");
  EXPECT_FALSE(executor_->Load());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Run(1));
  EXPECT_THAT(uses, ElementsAre(FrameUse::kRehearsal, FrameUse::kShown));
}

constexpr float kSeenButLost = 99;

// Gives what the world says, and notices when it says something else.
class WatchNode final : public Node {
 public:
  WatchNode(const float& world, std::vector<std::string>& log) : world_(world), log_(log) {}
  bool HasChanged(NodeCall&) override { return seen_ != world_; }
  Status Run(NodeCall& call) override {
    log_.emplace_back("Watch");
    if (world_ < 0) {
      return Error{ErrorCode::kInternal, "the world is not there"};
    }
    seen_ = world_;
    if (world_ == kSeenButLost) {
      return Error{ErrorCode::kInternal, "what was seen is lost"};
    }
    Result<Tensor> output = call.pool().Allocate({1, 1, 1, 1});
    output->mutable_data()[0] = seen_;
    call.SetOutput(0, *output);
    return {};
  }

 private:
  const float& world_;
  std::vector<std::string>& log_;
  float seen_ = 0;
};

constexpr const char* kDiamond = R"({
  "s":{"class_type":"Sink","inputs":{"images":["j",0]}},
  "j":{"class_type":"Join","inputs":{"a":["a",0],"b":["b",0]}},
  "b":{"class_type":"Add","inputs":{"image":["i",0],"amount":20}},
  "a":{"class_type":"Add","inputs":{"image":["i",0],"amount":3}},
  "i":{"class_type":"Source","inputs":{}},
  "unused":{"class_type":"Fail","inputs":{"image":["i",0]}}})";

TEST_F(ExecutorTest, RunsEachAncestorOnceAndNothingElse) {
  Take(kDiamond);
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(100));
  EXPECT_THAT(log_, ElementsAre("Source", "Add", "Add", "Join", "Sink"));
  EXPECT_EQ(Value(), 223);
}

TEST_F(ExecutorTest, InPlaceWorkNeverShowsElsewhere) {
  Take(kDiamond);
  EXPECT_FALSE(executor_->Load());
  for (float frame = 0; frame < 5; ++frame) {
    EXPECT_FALSE(Run(frame));
    EXPECT_EQ(Value(), 2 * frame + 23);
  }
}

TEST_F(ExecutorTest, OneValueTwiceInOneNode) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "j":{"class_type":"Join","inputs":{"a":["i",0],"b":["i",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["j",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(4));
  EXPECT_EQ(Value(), 8);
}

TEST_F(ExecutorTest, WhatDoesNotDependOnTheFrameRunsOnce) {
  Take(R"({"c":{"class_type":"Constant","inputs":{"value":5}},
           "n":{"class_type":"Number","inputs":{}},
           "d":{"class_type":"Add","inputs":{"image":["c",0],"amount":["n",0]}},
           "i":{"class_type":"Source","inputs":{}},
           "j":{"class_type":"Join","inputs":{"a":["d",0],"b":["i",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["j",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_THAT(log_, ElementsAre("Constant", "Number", "Add"));
  log_.clear();
  for (float frame = 0; frame < 3; ++frame) {
    EXPECT_FALSE(Run(frame));
    EXPECT_EQ(Value(), 12 + frame);
  }
  EXPECT_THAT(log_, ElementsAre("Source", "Join", "Sink", "Source", "Join", "Sink", "Source",
                                "Join", "Sink"));
}

TEST_F(ExecutorTest, AGraphWithoutFrameKeepsItsResult) {
  Take(R"({"c":{"class_type":"Constant","inputs":{"value":5}},
           "s":{"class_type":"Sink","inputs":{"images":["c",0]}}})");
  EXPECT_FALSE(executor_->Load());
  log_.clear();
  EXPECT_FALSE(executor_->Run(Tensor(), FrameUse::kShown));
  EXPECT_FALSE(executor_->Run(Tensor(), FrameUse::kShown));
  EXPECT_EQ(Value(), 5);
  EXPECT_THAT(log_, IsEmpty());
}

class ExecutorWatchTest : public ExecutorTest {
 protected:
  void SetUp() override {
    const auto make = [this] { return std::make_unique<WatchNode>(world_, log_); };
    ASSERT_TRUE(registry_
                    .Add({.spec = {.class_type = "Watch",
                                   .outputs = {{"IMAGE", "IMAGE"}},
                                   .freshness = Freshness::kWhenChanged},
                          .make = make})
                    .ok());
    Take(R"({"c":{"class_type":"Constant","inputs":{"value":5}},
             "w":{"class_type":"Watch","inputs":{}},
             "a":{"class_type":"Add","inputs":{"image":["w",0],"amount":1}},
             "b":{"class_type":"Join","inputs":{"a":["a",0],"b":["c",0]}},
             "i":{"class_type":"Source","inputs":{}},
             "j":{"class_type":"Join","inputs":{"a":["b",0],"b":["i",0]}},
             "s":{"class_type":"Sink","inputs":{"images":["j",0]}},
             "t":{"class_type":"Sink","inputs":{"images":["a",0]}}})");
  }
  float world_ = 10;
};

TEST_F(ExecutorWatchTest, WhatFollowsFromAChangeRunsAgainAndNothingElse) {
  EXPECT_FALSE(executor_->Load());
  EXPECT_THAT(log_, ElementsAre("Watch", "Add", "Constant", "Join", "Sink"));
  log_.clear();
  EXPECT_FALSE(Run(1000));
  EXPECT_EQ(Value(0), 1016);
  EXPECT_EQ(Value(1), 11);
  EXPECT_THAT(log_, ElementsAre("Source", "Join", "Sink"));
  log_.clear();
  world_ = 20;
  EXPECT_FALSE(Run(2000));
  EXPECT_EQ(Value(0), 2026);
  EXPECT_EQ(Value(1), 21);
  EXPECT_THAT(log_, ElementsAre("Watch", "Add", "Join", "Source", "Join", "Sink", "Sink"));
  log_.clear();
  EXPECT_FALSE(Run(3000));
  EXPECT_EQ(Value(0), 3026);
  EXPECT_THAT(log_, ElementsAre("Source", "Join", "Sink"));
}

TEST_F(ExecutorWatchTest, AFailedChangeIsTriedAgain) {
  EXPECT_FALSE(executor_->Load());
  world_ = -1;
  EXPECT_TRUE(Run(0));
  EXPECT_TRUE(Run(0));
  world_ = 30;
  EXPECT_FALSE(Run(0));
  EXPECT_EQ(Value(0), 36);
}

TEST_F(ExecutorWatchTest, AFailedChangeIsTriedAgainThoughItHasBeenSeen) {
  EXPECT_FALSE(executor_->Load());
  world_ = kSeenButLost;
  EXPECT_TRUE(Run(0));
  EXPECT_TRUE(Run(0));
  world_ = 30;
  EXPECT_FALSE(Run(0));
  EXPECT_EQ(Value(0), 36);
}

TEST_F(ExecutorTest, NodesThatDoTheSameAreOneStep) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "a":{"class_type":"Add","inputs":{"image":["i",0],"amount":1}},
           "b":{"class_type":"Add","inputs":{"amount":1,"image":["i",0]}},
           "c":{"class_type":"Add","inputs":{"image":["i",0],"amount":2}},
           "d":{"class_type":"Add","inputs":{"image":["a",0],"amount":7}},
           "e":{"class_type":"Add","inputs":{"image":["b",0],"amount":7}},
           "j":{"class_type":"Join","inputs":{"a":["d",0],"b":["e",0]}},
           "k":{"class_type":"Join","inputs":{"a":["j",0],"b":["c",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["k",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(100));
  EXPECT_EQ(Value(), 2 * 108 + 102);
  EXPECT_THAT(log_, ElementsAre("Source", "Add", "Add", "Join", "Add", "Join", "Sink"));
}

TEST_F(ExecutorTest, SeveralSinksAndSources) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "i2":{"class_type":"Source","inputs":{}},
           "a":{"class_type":"Add","inputs":{"image":["i",0],"amount":1}},
           "s":{"class_type":"Sink","inputs":{"images":["a",0]}},
           "t":{"class_type":"Sink","inputs":{"images":["i2",0]}},
           "u":{"class_type":"Sink","inputs":{"images":["i",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(10));
  EXPECT_EQ(Value(0), 11);
  EXPECT_EQ(Value(1), 10);
  EXPECT_EQ(Value(2), 10);
  EXPECT_EQ(executor_->plan().FindSink("t"), 1U);
  EXPECT_EQ(executor_->plan().FindSink("a"), std::nullopt);
}

TEST_F(ExecutorTest, AFailureNamesTheNodeAndTheNextFrameRunsAnew) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "f":{"class_type":"Fail","inputs":{"image":["i",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["f",0]}}})");
  EXPECT_FALSE(executor_->Load());
  for (int i = 0; i < 2; ++i) {
    const auto failure = Run(1);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->ToString(), "node f (Fail): it broke");
    EXPECT_FALSE(executor_->result(0).valid());
  }
}

TEST_F(ExecutorTest, ALiteralInPlaceOfAnImageFailsAtRunTime) {
  Take(R"({"a":{"class_type":"Add","inputs":{"image":"i","amount":1}},
           "s":{"class_type":"Sink","inputs":{"images":["a",0]}}})");
  const auto failure = executor_->Load();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->ToString(), "node a (Add): input 'image' takes an IMAGE, not a STRING");
}

// The failing branch is written first, so that it would run first.
TEST_F(ExecutorTest, ALazyInputThatIsNotNeededDoesNotRun) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "f":{"class_type":"Fail","inputs":{"image":["i",0]}},
           "a":{"class_type":"Add","inputs":{"image":["i",0],"amount":1}},
           "p":{"class_type":"Pick","inputs":{"pick":1,"first":["f",0],"second":["a",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["p",0]}}})");
  EXPECT_FALSE(executor_->Load());
  for (float frame = 0; frame < 3; ++frame) {
    log_.clear();
    EXPECT_FALSE(Run(frame));
    EXPECT_EQ(Value(), frame + 1);
    EXPECT_THAT(log_, ElementsAre("Source", "Add", "Pick", "Sink"));
  }
  std::vector<std::string> ran;
  for (std::size_t i = 0; i < executor_->plan().steps().size(); ++i) {
    if (executor_->has_run(i)) {
      ran.push_back(executor_->plan().steps()[i].node_id);
    }
  }
  EXPECT_THAT(ran, testing::UnorderedElementsAre("i", "a", "p", "s"));
}

// b runs when p asks for it, after a, which could have overwritten the frame.
TEST_F(ExecutorTest, ALazyBranchFindsItsInputsUnchanged) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "b":{"class_type":"Add","inputs":{"image":["i",0],"amount":50}},
           "a":{"class_type":"Add","inputs":{"image":["i",0],"amount":1}},
           "n":{"class_type":"Number","inputs":{}},
           "q":{"class_type":"Pick","inputs":{"pick":0,"first":["b",0]}},
           "j":{"class_type":"Join","inputs":{"a":["a",0],"b":["q",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["j",0]}},
           "t":{"class_type":"Sink","inputs":{"images":["i",0]}}})");
  EXPECT_FALSE(executor_->Load());
  for (float frame = 0; frame < 3; ++frame) {
    EXPECT_FALSE(Run(frame));
    EXPECT_EQ(Value(0), 2 * frame + 51);
    EXPECT_EQ(Value(1), frame);
  }
}

TEST_F(ExecutorTest, AConstantLazyBranchRunsOnceWhenItIsAskedFor) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "c":{"class_type":"Constant","inputs":{"value":3}},
           "d":{"class_type":"Constant","inputs":{"value":4}},
           "p":{"class_type":"Pick","inputs":{"pick":0,"first":["c",0],"second":["i",0]}},
           "e":{"class_type":"Pick","inputs":{"pick":0,"first":["c",0],"second":["d",0]}},
           "j":{"class_type":"Join","inputs":{"a":["p",0],"b":["e",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["j",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_THAT(log_, ElementsAre("Constant", "Pick"));
  EXPECT_FALSE(Run(9));
  EXPECT_FALSE(Run(9));
  EXPECT_EQ(Value(), 6);
  EXPECT_THAT(log_,
              ElementsAre("Constant", "Pick", "Pick", "Join", "Sink", "Pick", "Join", "Sink"));
}

TEST_F(ExecutorTest, ALazyInputThatIsNotThereIsNothing) {
  Take(R"({"i":{"class_type":"Source","inputs":{}},
           "p":{"class_type":"Pick","inputs":{"pick":0,"first":["i",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["p",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(9));
  EXPECT_EQ(Value(), 9);
}

TEST_F(ExecutorTest, GrownInputsComeInTheOrderOfTheirNumbers) {
  Take(R"({"1":{"class_type":"Constant","inputs":{"value":1}},
           "2":{"class_type":"Constant","inputs":{"value":2}},
           "3":{"class_type":"Constant","inputs":{"value":3}},
           "u":{"class_type":"Sum","inputs":{"images.image3":["3",0],"images.image1":["2",0],
                                             "images.image0":["1",0]}},
           "s":{"class_type":"Sink","inputs":{"images":["u",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_EQ(Value(), 1203);
}

TEST_F(ExecutorTest, ADynamicComboBringsTheInputsOfItsBranch) {
  Take(R"({"1":{"class_type":"Constant","inputs":{"value":1}},
           "a":{"class_type":"Shift","inputs":{"by":"little","by.steps":7,"by.image":["x",0]}},
           "b":{"class_type":"Shift","inputs":{"by":"much","by.steps":7,"by.image":["1",0]}},
           "c":{"class_type":"Sink","inputs":{"images":["a",0]}},
           "d":{"class_type":"Sink","inputs":{"images":["b",0]}}})");
  EXPECT_FALSE(executor_->Load());
  EXPECT_EQ(Value(0), 7);
  EXPECT_EQ(Value(1), 7001);
}

TEST_F(ExecutorTest, ADynamicComboWithoutBranchFailsAtRunTime) {
  Take(R"({"a":{"class_type":"Shift","inputs":{"by":"sideways"}},
           "s":{"class_type":"Sink","inputs":{"images":["a",0]}}})");
  const auto failure = executor_->Load();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->ToString(), "node a (Shift): input 'by' takes a STRING, not nothing");
}

TEST_F(ExecutorTest, ASecondFrameTakesNoMemory) {
  Take(kDiamond);
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(Run(1));
  EXPECT_FALSE(Run(1));
  const std::uint64_t allocations = pool_.allocations();
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(Run(1));
  }
  EXPECT_EQ(pool_.allocations(), allocations);
}

TEST(TensorPoolTest, LendsAgainWhatIsFree) {
  TensorPool pool(4096);
  const float* first = nullptr;
  {
    const Result<Tensor> tensor = pool.Allocate({1, 8, 8, 3});
    first = tensor->data();
    EXPECT_NE(pool.Allocate({1, 8, 8, 3})->data(), first);
  }
  EXPECT_EQ(pool.Allocate({1, 8, 8, 3})->data(), first);
  EXPECT_EQ(pool.bytes(), 2U * 768);
}

TEST(TensorPoolTest, RefusesBeyondItsBoundButDropsUnusedFirst) {
  TensorPool pool(4096);
  EXPECT_FALSE(pool.Allocate({1, 1, 1, 1025}).ok());
  { const Result<Tensor> small = pool.Allocate({1, 1, 1, 10}); }
  const Result<Tensor> all = pool.Allocate({1, 1, 1, 1024});
  ASSERT_TRUE(all.ok());
  const Result<Tensor> more = pool.Allocate({1, 1, 1, 1});
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code, ErrorCode::kResourceLimit);
}

TEST(TensorPoolTest, ShapesThatOverflowAreRefused) {
  TensorPool pool(~0ULL);
  constexpr std::uint32_t kMost = ~0U;
  EXPECT_FALSE(pool.Allocate({kMost, kMost, kMost, kMost}).ok());
  EXPECT_FALSE(pool.Allocate({kMost, kMost, 4, 1}).ok());
}

TEST(TensorPoolTest, TheSidesOfATensorWithoutPixelsAreBoundedToo) {
  TensorPool pool(1024);
  EXPECT_TRUE(pool.Allocate({16, 16, 0, 1}).ok());
  EXPECT_FALSE(pool.Allocate({16, 17, 0, 1}).ok());
  EXPECT_FALSE(pool.Allocate({0, UINT32_MAX, UINT32_MAX, UINT32_MAX}).ok());
}

TEST(TensorPoolTest, TensorsOutliveTheirPool) {
  Tensor tensor;
  {
    TensorPool pool(4096);
    tensor = *pool.Allocate({1, 1, 1, 4});
  }
  tensor.mutable_data()[3] = 1;
  EXPECT_TRUE(tensor.unique());
}

}  // namespace
}  // namespace framelock::graph
