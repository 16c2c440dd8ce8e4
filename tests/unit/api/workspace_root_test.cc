// SPDX-License-Identifier: Apache-2.0
#include "api/workspace_root.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace framelock::api {
namespace {

namespace fs = std::filesystem;

class WorkspaceRootTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(base_);
    for (const char* folder : {"root", "root/a", "root/a/b", "rootless"}) {
      fs::create_directories(base_ / folder / "input");
      fs::create_directories(base_ / folder / "output");
    }
    fs::create_directories(base_ / "root" / "half" / "input");
    fs::create_directory_symlink(base_ / "rootless", base_ / "root" / "half" / "output");
    std::ofstream(base_ / "root" / "file") << "x";
    fs::create_directory_symlink(base_ / "root" / "a", base_ / "root" / "inward");
    fs::create_directory_symlink(base_ / "rootless", base_ / "root" / "outward");
  }
  void TearDown() override { fs::remove_all(base_); }

  [[nodiscard]] std::string Resolve(const std::string& cwd) const {
    const auto path = WorkspaceRoot{.root = base_ / "root"}.Resolve(cwd);
    if (path) return fs::relative(*path, fs::canonical(base_));
    return path.error().message.find(base_.string()) == std::string::npos ? "refused" : "tells";
  }

  const fs::path base_ = fs::path(testing::TempDir()) /
                         ("framelock-workspace-root-test-" + std::to_string(::getpid()));
};

TEST_F(WorkspaceRootTest, GivesTheRealPathOfWhatLiesInTheRoot) {
  EXPECT_EQ(Resolve("a"), "root/a");
  EXPECT_EQ(Resolve("./a//b/"), "root/a/b");
  EXPECT_EQ(Resolve("a/../a/b"), "root/a/b");
  EXPECT_EQ(Resolve("a/none/.."), "root/a");
  EXPECT_EQ(Resolve("."), "root");
  EXPECT_EQ(Resolve("inward/b"), "root/a/b");
  EXPECT_EQ(Resolve(fs::canonical(base_) / "root" / "a"), "root/a");
}

TEST_F(WorkspaceRootTest, RefusesAllElseAndTellsNothingOfIt) {
  for (const char* cwd : {"..", "../rootless", "a/../../rootless", "/", "/etc", "/nonexistent",
                          "outward", "outward/input", "none", "file", "half", "a/input"}) {
    EXPECT_EQ(Resolve(cwd), "refused") << cwd;
  }
  const auto inside = WorkspaceRoot{.root = base_ / "root"}.Resolve("../rootless");
  const auto nothing = WorkspaceRoot{.root = base_ / "root"}.Resolve("../nothing");
  EXPECT_EQ(inside.error().message, nothing.error().message);
}

TEST_F(WorkspaceRootTest, WithoutARootNothingIsAllowed) {
  EXPECT_FALSE(WorkspaceRoot{}.Resolve("a"));
  EXPECT_FALSE(WorkspaceRoot{}.Resolve("/"));
}

}  // namespace
}  // namespace framelock::api
