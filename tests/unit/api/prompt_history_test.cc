// SPDX-License-Identifier: Apache-2.0
#include "api/prompt_history.h"

#include <gtest/gtest.h>

namespace framelock::api {
namespace {

TEST(PromptHistory, ProvenPromptsAreNotBlamed) {
  PromptHistory history("A", {{512, 512}});
  EXPECT_FALSE(history.OnWorkerDied(0));
  EXPECT_FALSE(history.OnWorkerDied(0));
  history.OnAccepted("B", {{768, 512}}, 2, 100);
  EXPECT_FALSE(history.OnWorkerDied(100));
  EXPECT_FALSE(history.OnWorkerDied(100 + PromptHistory::kProofFrames));
  EXPECT_FALSE(history.OnWorkerDied(1000));
  EXPECT_EQ(history.text(), "B");
  EXPECT_EQ(history.settings().size, (InputSize{768, 512}));
}

TEST(PromptHistory, APromptOnTrialIsNoFallback) {
  PromptHistory history("A", {{512, 512}});
  history.OnAccepted("B", {{768, 512}}, 2, 0);
  history.OnAccepted("C", {{64, 64}}, 3, 10);
  EXPECT_FALSE(history.OnWorkerDied(10));
  EXPECT_TRUE(history.OnWorkerDied(10));
  EXPECT_EQ(history.text(), "A");
  EXPECT_EQ(history.settings().size, (InputSize{512, 512}));
  EXPECT_EQ(history.revision(), 4u);
}

}  // namespace
}  // namespace framelock::api
