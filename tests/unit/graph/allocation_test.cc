// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "half_node.h"
#include "workers/graph/session.h"
#include "workers/nodes/abi/node_folder.h"
#include "workers/nodes/builtin.h"

namespace {
std::atomic<std::size_t> allocations{0};

void* Allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}
}  // namespace

void* operator new(std::size_t bytes) { return Allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return Allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace framelock::graph {
namespace {

std::string Node(const std::string& class_type, const std::string& inputs) {
  return R"(,"2":{"class_type":")" + class_type + R"(","inputs":{)" + inputs + "}}";
}

// `side`: of square frames.
void ExpectNoAllocations(std::uint32_t side, SessionOptions options) {
  NodeRegistry registry = std::move(*nodes::BuiltinNodes());
  ASSERT_TRUE(nodes::AddNodes(nodes::AddHalf, "fake", registry).ok());
  auto session = std::move(*Session::Create(registry, options));
  const std::size_t row = std::size_t{side} * 3;
  const std::vector<std::byte> frame(row * side, std::byte{100});
  std::vector<std::byte> out(4 * frame.size() + 64 * 64 * 3);
  const std::string scale = R"("image":["1",0],"width":64,"height":64,"crop":"center")";
  std::vector<std::string> middles{
      Node("ImageInvert", R"("image":["1",0])"),
      Node("Half", R"("image":["1",0],"amount":0.5,"of":"black")"),
      Node("ImageBlur", R"("image":["1",0],"blur_radius":2,"sigma":1.0)"),
      Node("ImageSharpen", R"("image":["1",0],"sharpen_radius":2,"sigma":1.0,"alpha":1.0)"),
      Node("Canny", R"("image":["1",0],"low_threshold":0.1,"high_threshold":0.6)"),
      Node("ImageCompositeMasked", R"("destination":["1",0],"source":["1",0],"x":3,"y":3,)"
                                   R"("resize_source":false)"),
      Node("ImageFlip", R"("image":["1",0],"flip_method":"x-axis: vertically")"),
      Node("ImageRotate", R"("image":["1",0],"rotation":"90 degrees")"),
      Node("ImageBlend", R"("image1":["1",0],"image2":["1",0],"blend_factor":0.5,)"
                         R"("blend_mode":"soft_light")"),
      Node("ImageAddNoise", R"("image":["1",0],"seed":7,"strength":0.5)"),
      Node("ImageLevels", R"("image":["1",0],"black_level":0.1,"mid_level":0.4,)"
                          R"("white_level":0.9,"clip":true)"),
      Node("ImagePadForOutpaint", R"("image":["1",0],"left":8,"top":8,"right":8,"bottom":8,)"
                                  R"("feathering":4)"),
      Node("ResizeAndPadImage", R"("image":["1",0],"target_width":64,"target_height":64,)"
                                R"("padding_color":"white","interpolation":"bilinear")"),
  };
  for (const char* dither : {"none", "floyd-steinberg", "bayer-4"}) {
    middles.push_back(Node(
        "ImageQuantize", R"("image":["1",0],"colors":16,"dither":")" + std::string(dither) + "\""));
  }
  for (const char* method : {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"}) {
    middles.push_back(Node("ImageScale", scale + R"(,"upscale_method":")" + method + "\""));
  }
  for (const std::string& middle : middles) {
    const auto rejected =
        session->Prepare(R"({"1":{"class_type":"LoadTensor","inputs":{}})" + middle +
                         R"(,"3":{"class_type":"SaveTensor",)"
                         R"("inputs":{"images":["2",0]}}})");
    ASSERT_FALSE(rejected) << rejected->errors_json;
    std::size_t before = 0;
    for (int i = 0; i < 6; ++i) {
      before = i == 3 ? allocations.load() : before;
      const auto shape = session->Run({.bytes = frame, .shape = {side, side, 3}, .stride = row});
      ASSERT_TRUE(shape.ok()) << shape.error().message;
      const std::size_t stride = std::size_t{shape->width} * 3;
      ASSERT_TRUE(session->WriteOutput({.bytes = out, .channels = 3, .stride = stride}).ok());
    }
    EXPECT_EQ(allocations.load() - before, 0U) << middle;
  }
}

TEST(AllocationTest, AFrameLikeTheOneBeforeTakesNoMemory) { ExpectNoAllocations(40, {}); }

TEST(AllocationTest, NeitherDoThreadsThatShareIt) {
  RowThreads threads(3);
  SessionOptions options;
  options.threads = &threads;
  ExpectNoAllocations(200, options);
}

}  // namespace
}  // namespace framelock::graph
