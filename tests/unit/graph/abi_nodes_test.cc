// SPDX-License-Identifier: Apache-2.0
// Node classes of libraries, the libraries being functions of this file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "half_node.h"
#include "node_probe.h"
#include "workers/graph/object_info.h"
#include "workers/graph/session.h"
#include "workers/nodes/abi/node_folder.h"
#include "workers/nodes/builtin.h"

namespace framelock::nodes {
namespace {

using graph::Json;
using graph::NodeProbe;
using graph::NodeRegistry;

// What the library below adds; its inputs may be changed in place.
framelock_input inputs[std::size(kHalfInputs)];
framelock_output outputs[std::size(kHalfOutputs)];
framelock_class given;

int AddGiven(const framelock_host* host, framelock_registry* registry) {
  return host->add_class(registry, &given);
}

class AbiNodesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::copy(std::begin(kHalfInputs), std::end(kHalfInputs), inputs);
    std::copy(std::begin(kHalfOutputs), std::end(kHalfOutputs), outputs);
    given = kHalf;
    given.inputs = inputs;
    given.outputs = outputs;
  }

  std::string ErrorOfAdding(framelock_nodes_entry entry) {
    const Status added = AddNodes(entry, "fake", registry_);
    return added.ok() ? "" : added.error().message;
  }

  // "" if a node of the given class runs on a pixel of 1, 0.5, 0, else its error.
  std::string ErrorOfRunning() {
    EXPECT_EQ(ErrorOfAdding(AddGiven), "");
    NodeProbe probe(*registry_.Find("Half"));
    return probe.Run({probe.Make({1, 1, 1, 3}, {1, 0.5, 0}), 0.25, std::string("white"), {}});
  }

  NodeRegistry registry_;
};

TEST_F(AbiNodesTest, AClassIsShownAsComfyUiShowsOne) {
  ASSERT_EQ(ErrorOfAdding(AddHalf), "");
  const Json info = graph::ObjectInfo(registry_.Find("Half")->spec);
  const Json required = {
      {"image", {"IMAGE", Json::object()}},
      {"amount",
       {"FLOAT",
        {{"default", 0.5}, {"min", 0.0}, {"max", 1.0}, {"step", 0.25}, {"tooltip", "of light"}}}},
      {"of",
       {"COMBO",
        {{"default", "black"},
         {"multiselect", false},
         {"options", Json::array({"black", "white"})}}}}};
  EXPECT_EQ(info["input"]["required"], required);
  EXPECT_EQ(info["input_order"]["optional"], Json::array({"mask"}));
  EXPECT_EQ(info["output"], Json::array({"IMAGE", "FLOAT"}));
  EXPECT_EQ(info["output_name"], Json::array({"IMAGE", "amount"}));
  EXPECT_EQ(info["display_name"], "Half as bright");
  EXPECT_EQ(info["category"], "test");
  EXPECT_EQ(info["python_module"], "custom_nodes.fake");
  EXPECT_EQ(info["output_node"], false);
}

TEST_F(AbiNodesTest, OtherTypesAreShownToo) {
  inputs[0] = {.name = "count", .type = FRAMELOCK_INT, .int_range = {-3, -5, -1, 2}};
  inputs[1] = {.name = "any", .type = FRAMELOCK_INT};
  inputs[2] = {.name = "on", .type = FRAMELOCK_BOOLEAN, .boolean = 1};
  inputs[3] = {.name = "text", .type = FRAMELOCK_STRING, .text = "hello"};
  given.flags = FRAMELOCK_OUTPUT_NODE;
  ASSERT_EQ(ErrorOfAdding(AddGiven), "");
  const Json info = graph::ObjectInfo(registry_.Find("Half")->spec);
  const Json required = {
      {"count", {"INT", {{"default", -3}, {"min", -5}, {"max", -1}, {"step", 2}}}},
      {"any", {"INT", {{"default", 0}}}},
      {"on", {"BOOLEAN", {{"default", true}}}},
      {"text", {"STRING", {{"default", "hello"}}}}};
  EXPECT_EQ(info["input"]["required"], required);
  EXPECT_EQ(info["output_node"], true);
}

TEST_F(AbiNodesTest, WhatIsMalformedIsNamed) {
  static const char* const kHoles[] = {"black", nullptr};
  const std::pair<std::function<void()>, std::string> cases[] = {
      {[] { --given.size; }, "another version"},
      {[] { given.class_type = nullptr; }, "a class has no class_type"},
      {[] { given.class_type = ""; }, "a class has no class_type"},
      {[] { given.execute = nullptr; }, "class Half: it has no execute"},
      {[] { given.flags = 2; }, "class Half: it has unknown flags"},
      {[] { given.inputs = nullptr; }, "class Half: its list of inputs or outputs is null"},
      {[] { given.outputs = nullptr; }, "class Half: its list of inputs or outputs is null"},
      {[] { inputs[1].name = nullptr; }, "class Half: input 1 has no name"},
      {[] { inputs[1].name = "image"; }, "class Half: input 'image': there are two"},
      {[] { inputs[0].type = 99; }, "class Half: input 'image': there is no type 99"},
      {[] { inputs[0].type = FRAMELOCK_NONE; }, "class Half: input 'image': there is no type 0"},
      {[] { inputs[0].flags = 4; }, "class Half: input 'image': it has unknown flags"},
      {[] { inputs[1].float_range.min = 1; }, "input 'amount': min is not below max"},
      {[] { inputs[1].float_range.value = 2; }, "input 'amount': the default is not within"},
      {[] { inputs[1].float_range.step = -1; }, "input 'amount': step is negative"},
      {[] { inputs[1].float_range.max = NAN; }, "input 'amount': its range is not finite"},
      {[] { inputs[1].float_range.max = INFINITY; }, "input 'amount': its range is not finite"},
      {[] { inputs[2].option_count = 0; }, "input 'of': it has no options"},
      {[] { inputs[2].options = nullptr; }, "input 'of': it has no options"},
      {[] { inputs[2].options = kHoles; }, "input 'of': option 1 is null"},
      {[] { inputs[2].text = "grey"; }, "input 'of': the default is not one of the options"},
      {[] { outputs[1].type = FRAMELOCK_COMBO; }, "class Half: output 1: a COMBO is an input"},
      {[] { outputs[1].type = 77; }, "class Half: output 1: there is no type 77"},
  };
  for (const auto& [spoil, expected] : cases) {
    SetUp();
    spoil();
    const std::string error = ErrorOfAdding(AddGiven);
    EXPECT_NE(error.find(expected), std::string::npos) << error << ", not " << expected;
    EXPECT_TRUE(registry_.classes().empty());
  }
}

TEST_F(AbiNodesTest, ALibraryIsTakenWholeOrNotAtAll) {
  ASSERT_EQ(ErrorOfAdding(AddHalf), "");
  given.class_type = "Other";
  const auto other_and_half = [](const framelock_host* host, framelock_registry* registry) {
    EXPECT_EQ(host->size, sizeof(framelock_host));
    EXPECT_EQ(host->add_class(registry, &given), 0);
    EXPECT_NE(host->add_class(registry, &kHalf), 0);
    return 0;
  };
  EXPECT_EQ(ErrorOfAdding(other_and_half), "class Half: there is one of that name");
  const auto other_twice = [](const framelock_host* host, framelock_registry* registry) {
    return host->add_class(registry, &given) + host->add_class(registry, &given);
  };
  EXPECT_EQ(ErrorOfAdding(other_twice), "class Other: there is one of that name");
  const auto other_and_no = [](const framelock_host* host, framelock_registry* registry) {
    return host->add_class(registry, &given) + 7;
  };
  EXPECT_EQ(ErrorOfAdding(other_and_no), "framelock_nodes_v1 returned 7");
  const auto thrower = [](const framelock_host* host, framelock_registry* registry) -> int {
    host->add_class(registry, &given);
    throw std::runtime_error("not for others");
  };
  EXPECT_EQ(ErrorOfAdding(thrower), "an exception left framelock_nodes_v1");
  EXPECT_EQ(registry_.classes().size(), 1U);
}

TEST_F(AbiNodesTest, ANodeSeesItsInputsAndGivesItsOutputs) {
  given.execute = [](void* state, const framelock_call* call) {
    const framelock_value* in = call->inputs;
    EXPECT_EQ(state, nullptr);
    EXPECT_EQ(call->rehearsal, 0U);
    EXPECT_EQ(in[0].type, static_cast<std::uint32_t>(FRAMELOCK_IMAGE));
    EXPECT_EQ(in[0].as.tensor.shape.height, 2U);
    EXPECT_EQ(in[0].as.tensor.shape.width, 1U);
    EXPECT_EQ(in[0].as.tensor.shape.channels, 3U);
    EXPECT_EQ(in[0].as.tensor.data[5], 0.5F);
    EXPECT_EQ(in[1].type, static_cast<std::uint32_t>(FRAMELOCK_FLOAT));
    EXPECT_EQ(in[1].as.number, 1.0);
    EXPECT_STREQ(in[2].as.text.data, "white");
    EXPECT_EQ(in[2].as.text.size, 5U);
    EXPECT_EQ(in[3].type, static_cast<std::uint32_t>(FRAMELOCK_NONE));
    return RunHalf(state, call);
  };
  ASSERT_EQ(ErrorOfAdding(AddGiven), "");
  NodeProbe probe(*registry_.Find("Half"));
  const graph::Tensor image = probe.Make({1, 2, 1, 3}, {0, 1, 0.5});
  // A whole number where a FLOAT is wanted.
  ASSERT_EQ(probe.Run({image, std::int64_t{1}, std::string("white"), {}}), "");
  EXPECT_EQ(probe.floats(), (std::vector<float>{0, 0.5, 0.25, 0, 0.5, 0.25}));
  EXPECT_EQ(std::get<double>(probe.output(1)), 1.0);
}

TEST_F(AbiNodesTest, OutputsOfEveryType) {
  const auto give = [](std::uint32_t type, auto set) {
    outputs[0].type = type;
    given.output_count = 1;
    given.execute = set;
  };
  const auto run = [this](graph::Value& output) {
    registry_ = NodeRegistry();
    EXPECT_EQ(ErrorOfAdding(AddGiven), "");
    NodeProbe probe(*registry_.Find("Half"));
    EXPECT_EQ(probe.Run({probe.Make({1, 1, 1, 3}, {1}), 0.25, std::string("white"),
                         probe.MakeMask(1, 2, {0.75})}),
              "");
    output = probe.output();
  };
  graph::Value output;
  give(FRAMELOCK_INT, [](void*, const framelock_call* call) {
    framelock_value value{.type = FRAMELOCK_INT, .as = {.integer = -7}};
    call->host->set_output(call, 0, &value);
    return 0;
  });
  run(output);
  EXPECT_EQ(std::get<std::int64_t>(output), -7);
  give(FRAMELOCK_BOOLEAN, [](void*, const framelock_call* call) {
    framelock_value value{.type = FRAMELOCK_BOOLEAN, .as = {.boolean = 2}};
    call->host->set_output(call, 0, &value);
    return 0;
  });
  run(output);
  EXPECT_TRUE(std::get<bool>(output));
  give(FRAMELOCK_STRING, [](void*, const framelock_call* call) {
    call->host->set_output(call, 0, &call->inputs[2]);
    return 0;
  });
  run(output);
  EXPECT_EQ(std::get<std::string>(output), "white");
  give(FRAMELOCK_MASK, [](void*, const framelock_call* call) {
    call->host->set_output(call, 0, &call->inputs[3]);
    return 0;
  });
  run(output);
  EXPECT_EQ(std::get<graph::Tensor>(output).data()[1], 0.75F);
  give(FRAMELOCK_MASK, [](void*, const framelock_call* call) {
    *call->host->make_tensor(call, 0, {1, 1, 1, 1}) = 0.5F;
    return 0;
  });
  run(output);
  EXPECT_EQ(std::get<graph::Tensor>(output).shape().layout, graph::TensorLayout::kMask);
}

TEST_F(AbiNodesTest, WhatANodeDoesWrongIsItsFailure) {
  using Execute = int (*)(void*, const framelock_call*);
  const std::pair<Execute, std::string> cases[] = {
      {[](void*, const framelock_call* call) {
         call->host->set_error(call, "no light");
         call->host->set_error(call, "and no heat");
         return 1;
       },
       "no light"},
      {[](void*, const framelock_call*) { return 5; }, "it failed with status 5 and said nothing"},
      {[](void*, const framelock_call* call) {
         RunHalf(nullptr, call);
         call->host->set_error(call, "too late");
         return 0;
       },
       "too late"},
      {[](void*, const framelock_call*) { return 0; }, "it gave no output 'IMAGE'"},
      {[](void*, const framelock_call* call) {
         call->host->make_tensor(call, 1, {1, 1, 1, 1});
         return 0;
       },
       "output 1 has type 4, not 1"},
      {[](void*, const framelock_call* call) {
         call->host->make_tensor(call, 2, {1, 1, 1, 1});
         return 0;
       },
       "there is no output 2 to give"},
      {[](void*, const framelock_call* call) {
         call->host->set_output(call, 0, &call->inputs[1]);
         return 0;
       },
       "output 0 has type 1, not 4"},
      {[](void*, const framelock_call* call) {
         const framelock_value copy = call->inputs[0];
         call->host->set_output(call, 0, &copy);
         return 0;
       },
       "output 0: set_output takes pictures only from the call's inputs"},
      {[](void*, const framelock_call* call) {
         const float* none = call->host->make_tensor(call, 0, {1, 65535, 65535, 65535});
         return none == nullptr ? 1 : 0;
       },
       "exceeds the limit"},
      {[](void*, const framelock_call*) -> int { throw std::runtime_error("not for others"); },
       "an exception left the node"},
  };
  for (const auto& [execute, expected] : cases) {
    SetUp();
    registry_ = NodeRegistry();
    given.execute = execute;
    const std::string error = ErrorOfRunning();
    EXPECT_NE(error.find(expected), std::string::npos) << error << ", not " << expected;
  }
}

// What happened to the nodes of the class below.
std::string events;
bool changed = false;

// Gives its input `amount`, doubled, from a state that was made with it.
void BecomeStateful() {
  given.inputs = inputs + 1;
  given.input_count = 2;
  inputs[2].type = FRAMELOCK_INT;  // "of", never linked here
  inputs[2].flags = FRAMELOCK_OPTIONAL;
  given.outputs = outputs + 1;
  given.output_count = 1;
  given.create = [](const framelock_call* call, void** state) {
    events += "create ";
    if (call->inputs[1].type == FRAMELOCK_INT) {
      call->host->set_error(call, "no state today");
      return 1;
    }
    *state = new double(call->inputs[0].as.number * 2);
    return 0;
  };
  given.destroy = [](void* state) {
    events += "destroy ";
    delete static_cast<double*>(state);
  };
  given.execute = [](void* state, const framelock_call* call) {
    events += call->rehearsal != 0 ? "rehearse " : "run ";
    const framelock_value value{.type = FRAMELOCK_FLOAT,
                                .as = {.number = *static_cast<double*>(state)}};
    call->host->set_output(call, 0, &value);
    return 0;
  };
  given.is_changed = [](void*, const framelock_call*) { return changed ? 1 : 0; };
}

std::string Prompt(const std::string& half_inputs) {
  return R"({"1":{"class_type":"LoadTensor","inputs":{}},
             "2":{"class_type":"Half","inputs":{)" +
         half_inputs +
         R"(}},
             "3":{"class_type":"AdjustBrightness","inputs":{"images":["1",0],"factor":["2",0]}},
             "4":{"class_type":"SaveTensor","inputs":{"images":["3",0]}}})";
}

TEST_F(AbiNodesTest, AStateLivesAsLongAsItsPrompt) {
  BecomeStateful();
  events.clear();
  changed = false;
  registry_ = std::move(*BuiltinNodes());
  ASSERT_EQ(ErrorOfAdding(AddGiven), "");
  auto session = std::move(*graph::Session::Create(registry_));
  const auto refused = session->Prepare(Prompt(R"("amount":0.5,"of":1)"));
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->errors_json.find("node 2 (Half): no state today"), std::string::npos)
      << refused->errors_json;
  EXPECT_EQ(std::exchange(events, ""), "create ");
  const auto rejected = session->Prepare(Prompt(R"("amount":0.25)"));
  ASSERT_FALSE(rejected) << rejected->errors_json;
  EXPECT_EQ(std::exchange(events, ""), "create rehearse ");
  const std::vector<std::byte> frame(3, std::byte{255});
  std::vector<std::byte> out(3);
  const auto run = [&] {
    const auto shape = session->Run({.bytes = frame, .shape = {1, 1, 3}, .stride = 3});
    ASSERT_TRUE(shape.ok()) << shape.error().message;
    ASSERT_TRUE(session->WriteOutput({.bytes = out, .channels = 3, .stride = 3}).ok());
  };
  run();
  EXPECT_EQ(out[0], std::byte{127});
  EXPECT_EQ(std::exchange(events, ""), "");
  changed = true;
  run();
  EXPECT_EQ(std::exchange(events, ""), "run ");
  session.reset();
  EXPECT_EQ(events, "destroy ");
}

}  // namespace
}  // namespace framelock::nodes
