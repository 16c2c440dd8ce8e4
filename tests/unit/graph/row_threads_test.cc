// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/row_threads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "workers/graph/session.h"
#include "workers/nodes/builtin.h"

namespace framelock::graph {
namespace {

TEST(RowThreads, EachRowIsWorkedOnOnce) {
  for (const std::size_t count : {1, 2, 5}) {
    RowThreads threads(count);
    EXPECT_EQ(threads.count(), count);
    for (const std::size_t rows : {0, 1, 2, 3, 7, 64, 1001}) {
      std::vector<std::atomic<int>> seen(rows);
      std::atomic<std::size_t> parts = 0;
      const auto work = [&](const RowThreads::Part& part) {
        ++parts;
        EXPECT_LT(part.number, count);
        for (std::size_t row = part.begin; row < part.end; ++row) ++seen[row];
      };
      threads.Share(rows, work, 2);
      for (const auto& row : seen) EXPECT_EQ(row, 1);
      EXPECT_EQ(parts, std::min(count, std::max<std::size_t>(rows / 2, 1)));
    }
  }
}

TEST(RowThreads, WhoFindsThemBusyWorksAlone) {
  RowThreads threads(2);
  std::atomic<int> inner = 0;
  const auto count = [&](const RowThreads::Part& all) {
    inner += static_cast<int>(all.end - all.begin);
  };
  const auto share_again = [&](const RowThreads::Part& part) {
    if (part.number == 1)
      threads.Share(10, count, 1);  // of another thread than the one that shares
  };
  threads.Share(2, share_again, 1);
  EXPECT_EQ(inner, 10);
}

std::string Graph(const std::string& nodes, const std::string& last) {
  return R"({"1":{"class_type":"LoadTensor","inputs":{}},)" + nodes +
         R"(,"9":{"class_type":"SaveTensor","inputs":{"images":[")" + last + R"(",0]}}})";
}

std::string Node(const std::string& class_type, const std::string& inputs) {
  return R"("2":{"class_type":")" + class_type + R"(","inputs":{"image":["1",0],)" + inputs + "}}";
}

std::vector<std::byte> Compute(const std::string& prompt, std::size_t count) {
  constexpr std::uint32_t kWidth = 300;
  constexpr std::uint32_t kHeight = 211;
  const NodeRegistry registry = std::move(*nodes::BuiltinNodes());
  RowThreads threads(count);
  SessionOptions options;
  options.threads = &threads;
  const auto session = std::move(*Session::Create(registry, options));
  const auto rejected = session->Prepare(prompt);
  EXPECT_FALSE(rejected) << rejected->errors_json;
  if (rejected) return {};
  std::vector<std::byte> frame(std::size_t{kWidth} * kHeight * 3);
  std::vector<std::byte> out;
  for (std::size_t run = 0; run < 2; ++run) {
    for (std::size_t i = 0; i < frame.size(); ++i) {
      frame[i] = static_cast<std::byte>((i * i / 7 + i + run) % 251);
    }
    const auto shape = session->Run(
        {.bytes = frame, .shape = {kWidth, kHeight, 3}, .stride = std::size_t{kWidth} * 3});
    EXPECT_TRUE(shape.ok()) << shape.error().message;
    if (!shape.ok()) return {};
    out.assign(std::size_t{shape->width} * shape->height * 3, std::byte{0});
    EXPECT_TRUE(session->WriteOutput({.bytes = out, .stride = std::size_t{shape->width} * 3}).ok());
  }
  return out;
}

TEST(RowThreads, WhatIsComputedDoesNotDependOnHowManyThereAre) {
  std::vector<std::string> prompts{
      Graph(Node("ImageInvert", R"("x":0)"), "2"),
      Graph(Node("ImageBlur", R"("blur_radius":9,"sigma":0.7)"), "2"),
      Graph(Node("ImageSharpen", R"("sharpen_radius":3,"sigma":0.7,"alpha":0.9)"), "2"),
      Graph(
          Node("ImageLevels", R"("black_level":0.1,"mid_level":0.4,"white_level":0.8,"clip":true)"),
          "2"),
      Graph(Node("Canny", R"("low_threshold":0.1,"high_threshold":0.6)"), "2"),
      Graph(Node("ImageFlip", R"("flip_method":"y-axis: horizontally")") +
                R"(,"3":{"class_type":"ImageToMask","inputs":{"image":["2",0],"channel":"red"}},)"
                R"("4":{"class_type":"ImageCompositeMasked","inputs":{"destination":["1",0],)"
                R"("source":["2",0],"x":17,"y":9,"resize_source":true,"mask":["3",0]}})",
            "4"),
      Graph(Node("ImageAddNoise", R"("seed":5,"strength":0.3)"), "2"),
      Graph(Node("ImageFlip", R"("flip_method":"x-axis: vertically")") +
                R"(,"3":{"class_type":"ImageBlend","inputs":{"image1":["1",0],"image2":["2",0],)"
                R"("blend_factor":0.4,"blend_mode":"overlay"}})",
            "3"),
      Graph(Node("JoinImageWithAlpha", R"("alpha":["3",0])") +
                R"(,"3":{"class_type":"ImageToMask","inputs":{"image":["1",0],"channel":"red"}},)"
                R"("4":{"class_type":"ImageScale","inputs":{"image":["2",0],)"
                R"("upscale_method":"lanczos","width":97,"height":130,"crop":"disabled"}})",
            "4"),
  };
  for (const char* method : {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"}) {
    for (const char* size : {R"("width":450,"height":380)", R"("width":123,"height":77)"}) {
      prompts.push_back(Graph(Node("ImageScale", std::string(R"("upscale_method":")") + method +
                                                     R"(",)" + size + R"(,"crop":"center")"),
                              "2"));
    }
  }
  for (const std::string& prompt : prompts) {
    const std::vector<std::byte> alone = Compute(prompt, 1);
    EXPECT_EQ(Compute(prompt, 3) == alone, true) << prompt;
    EXPECT_EQ(Compute(prompt, 8) == alone, true) << prompt;
  }
}

}  // namespace
}  // namespace framelock::graph
