// SPDX-License-Identifier: Apache-2.0
// What gst-inspect-1.0 says of workerfilter's structures is what they hold.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "plugins/worker_filter_state.h"
#include "tests/integration/plugins/documented_fields.h"
#include "tests/integration/plugins/worker_filter_rig.h"

namespace framelock::plugins {
namespace {

using Fields = std::set<std::string>;
using StructurePtr = std::unique_ptr<GstStructure, decltype(&gst_structure_free)>;

StructurePtr Own(GstStructure* structure) { return {structure, &gst_structure_free}; }

class WorkerFilterDocumentation : public ::testing::Test {
 protected:
  std::string Description() const {
    return gst_element_get_metadata(rig_.element(), GST_ELEMENT_METADATA_DESCRIPTION);
  }
  std::string Blurb(const char* property) const {
    return g_param_spec_get_blurb(
        g_object_class_find_property(G_OBJECT_GET_CLASS(rig_.element()), property));
  }

  const FilterRig rig_{{.play = FilterRig::Options::Play::kNo}};
};

TEST_F(WorkerFilterDocumentation, NamesEveryStatistic) {
  const auto stats = Own(StatsStructure({}));
  EXPECT_GT(gst_structure_n_fields(stats.get()), 20);
  EXPECT_EQ(framelock::testing::UndocumentedFields(stats.get(), Blurb("stats")), Fields{});
}

TEST_F(WorkerFilterDocumentation, NamesTheAnswerOfSetPrompt) {
  const auto answer = Own(PromptStructure({PromptAnswer::Kind::kApplied, 1, ""}));
  EXPECT_NE(Description().find(gst_structure_get_name(answer.get())), std::string::npos);
  EXPECT_EQ(framelock::testing::UndocumentedFields(answer.get(), Description()), Fields{});
}

TEST_F(WorkerFilterDocumentation, NamesTheMessages) {
  using Reason = host::WorkerSeat::LossReason;
  const auto ready = Own(ReadyStructure(1));
  EXPECT_NE(Description().find(gst_structure_get_name(ready.get())), std::string::npos);
  EXPECT_EQ(framelock::testing::UndocumentedFields(ready.get(), Description()), Fields{});
  for (const Reason reason : {Reason::kClosed, Reason::kHung, Reason::kProtocol, Reason::kFailed}) {
    const auto lost = Own(LostStructure({.reason = reason, .detail = "", .pid = 1}));
    EXPECT_EQ(framelock::testing::UndocumentedFields(lost.get(), Description()), Fields{});
    EXPECT_NE(Description().find(host::LossReasonText(reason)), std::string::npos);
  }
}

TEST_F(WorkerFilterDocumentation, AFieldThatIsNotNamedIsFound) {
  const auto other = Own(
      gst_structure_new("x", "inputs", G_TYPE_INT, 1, "other", G_TYPE_UINT64, guint64{1}, nullptr));
  EXPECT_EQ(framelock::testing::UndocumentedFields(other.get(), Blurb("stats")),
            (Fields{"inputs (int)", "other (uint64)"}));
}

}  // namespace
}  // namespace framelock::plugins
