// SPDX-License-Identifier: Apache-2.0
// The golden cases that a frame of bytes can carry, through a live worker over the frame protocol:
// the prompt is set, the frame goes through shared memory, and what comes back is what the real
// nodes computed, by the sink's rule for bytes (tests/golden/README.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/support/worker_session.h"
#include "workers/protocol/frame_format.h"

namespace framelock::host {
namespace {

using nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

constexpr double kByteStep = 1.0 / 255;

Bytes ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Times 255, clamped, truncated.
Bytes ToBytes(const Bytes& floats) {
  Bytes bytes(floats.size() / sizeof(float));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    float value = 0;
    std::memcpy(&value, floats.data() + i * sizeof(float), sizeof(float));
    bytes[i] = static_cast<std::uint8_t>(std::clamp(value * 255.0F, 0.0F, 255.0F));
  }
  return bytes;
}

bool IsOneFrame(const json& item) {
  return item.contains("input_u8") && item["flags"].empty() &&
         item["input_u8"]["shape"].size() == 4 && item["input_u8"]["shape"][0] == 1;
}

// A live stream has one output.
json PromptOf(const json& item) {
  json prompt = json::object();
  for (const auto& [id, node] : item["prompt"].items()) {
    if (node["class_type"] != "SaveTensor" || id == item["sink"]) prompt[id] = node;
  }
  return prompt;
}

class GoldenLiveTest : public testing::Test {
 protected:
  void RunAll(const std::filesystem::path& folder) {
    const char* bin = std::getenv("FRAMELOCK_BIN");
    session_ = WorkerSession::Start(
        {.argv = {std::string(bin == nullptr ? "." : bin) + "/framelock-worker", "--log-level",
                  "warn"}});
    ASSERT_TRUE(session_);
    session_->Expect<WorkerClient::Welcomed>();
    std::ifstream file(folder / "index.json");
    std::size_t run = 0;
    for (const json& item : json::parse(file)) {
      if (!IsOneFrame(item)) continue;
      SCOPED_TRACE(item["name"].get<std::string>());
      Check(item, folder);
      ++run;
      ASSERT_FALSE(HasFatalFailure());
    }
    EXPECT_GT(run, 200U);
    std::printf("%zu cases\n", run);
  }

 private:
  void Check(const json& item, const std::filesystem::path& folder) {
    const json& shape = item["input_u8"]["shape"];
    const json& wanted_shape = item["output"]["shape"];
    const auto width = wanted_shape[2].get<std::uint32_t>();
    const auto height = wanted_shape[1].get<std::uint32_t>();
    const std::size_t row = protocol::RowBytes(protocol::PixelFormat::kRgb8, width);
    session_->Attach({.width = shape[2].get<std::uint32_t>(),
                      .height = shape[1].get<std::uint32_t>(),
                      .output_slot_bytes = std::uint64_t{row} * height});
    session_->Apply(++revision_, PromptOf(item).dump());
    const Bytes frame = ReadFile(folder / item["input_u8"]["file"].get<std::string>());
    const std::size_t stride = session_->region->layout().attach().stride;
    session_->Submit(revision_, [&](std::span<std::byte> bytes) {
      const std::size_t row_bytes = shape[2].get<std::size_t>() * 3;
      for (std::size_t y = 0; (y + 1) * row_bytes <= frame.size(); ++y) {
        std::memcpy(&bytes[y * stride], &frame[y * row_bytes], row_bytes);
      }
    });
    const auto [completed, output] = session_->Complete();
    ASSERT_EQ(completed.outcome, protocol::FrameOutcome::kCompleted) << completed.error.data();
    ASSERT_EQ(completed.revision, revision_);
    ASSERT_EQ(completed.output_width, width);
    ASSERT_EQ(completed.output_height, height);
    const bool exact = item.contains("output_u8");
    const json& file = (exact ? item["output_u8"] : item["output"])["file"];
    Bytes wanted = ReadFile(folder / file.get<std::string>());
    if (!exact) wanted = ToBytes(wanted);
    ASSERT_EQ(wanted.size(), std::size_t{width} * height * 3);
    Compare(item, output, wanted, row, std::size_t{width} * 3);
  }

  static void Compare(const json& item, const std::vector<std::byte>& output, const Bytes& wanted,
                      std::size_t row, std::size_t packed_row) {
    // The float tolerance in steps of a byte, and one for the truncation.
    const double atol = item.value("atol_typical", item["atol"].get<double>());
    const int most = item.contains("output_u8") ? item["atol_u8"].get<int>()
                                                : 1 + static_cast<int>(atol / kByteStep);
    const double share = item.value("max_u8_mismatch_fraction", 1.0);
    const double outliers = item.value("max_outlier_fraction", 0.0);
    std::size_t different = 0, beyond = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const int got = std::to_integer<int>(output[i / packed_row * row + i % packed_row]);
      const int off = std::abs(got - wanted[i]);
      different += off > 0 ? 1 : 0;
      beyond += off > most ? 1 : 0;
    }
    EXPECT_LE(static_cast<double>(beyond), outliers * static_cast<double>(wanted.size()));
    EXPECT_LE(static_cast<double>(different), share * static_cast<double>(wanted.size()));
  }

  std::unique_ptr<WorkerSession> session_;
  std::uint64_t revision_ = 0;
};

TEST_F(GoldenLiveTest, EveryFrameOfBytesIsWhatTheRealNodesMakeOfIt) { RunAll(FRAMELOCK_GOLDEN); }

TEST_F(GoldenLiveTest, SoIsEachOfTheLargerCollection) {
  const std::filesystem::path folder = FRAMELOCK_GOLDEN_LARGE;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  RunAll(folder);
}

}  // namespace
}  // namespace framelock::host
