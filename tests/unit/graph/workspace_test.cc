// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/workspace.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workers/graph/executor.h"
#include "workers/graph/validate.h"
#include "workers/nodes/builtin.h"
#include "workers/nodes/png_image.h"

namespace framelock::nodes {
namespace {

namespace fs = std::filesystem;
using graph::Json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kMostBytes = 100'000;

// ROOT/canary.png, ROOT/work/canary.png and the folders of the workspace ROOT/work, with traps in
// its input. The kernel tells of every opening of a canary.
class WorkspaceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PngIsBuiltIn()) {
      GTEST_SKIP() << "built without libpng";
    }
    std::string pattern = testing::TempDir() + "workspace_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern);
    input_ = root_ / "work/input";
    fs::create_directories(input_ / "folder");
    fs::create_directories(input_ / "directory.png");
    fs::create_directories(root_ / "work/output");
    watch_ = UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    for (const char* place : {"canary.png", "work/canary.png"}) {
      WriteFile(root_ / place, Picture(255));
      ASSERT_GE(inotify_add_watch(watch_.get(), (root_ / place).c_str(), IN_OPEN | IN_ACCESS), 0);
    }
    WriteFile(input_ / "good.png", Picture(10));
    WriteFile(input_ / "folder/deep.png", Picture(20));
    WriteFile(root_ / "work/output/made.png", Picture(30));
    SetTraps();
    Result<std::shared_ptr<const Workspace>> opened =
        Workspace::Open((root_ / "work").string(), {.max_file_bytes = kMostBytes});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    workspace_ = *opened;
  }
  void TearDown() override {
    if (!root_.empty()) {
      fs::remove_all(root_);
    }
  }

  void SetTraps() {
    fs::create_symlink("good.png", input_ / "inside.png");
    fs::create_symlink(root_ / "canary.png", input_ / "absolute.png");
    fs::create_symlink("../../canary.png", input_ / "relative.png");
    fs::create_symlink("absolute.png", input_ / "chain.png");
    fs::create_symlink("../..", input_ / "up");
    fs::create_symlink("/", input_ / "slash");
    fs::create_symlink("loop2.png", input_ / "loop1.png");
    fs::create_symlink("loop1.png", input_ / "loop2.png");
    held_ = UniqueFd(open((root_ / "canary.png").c_str(), O_PATH | O_CLOEXEC));
    const std::string magic = "/proc/self/fd/" + std::to_string(held_.get());
    fs::create_symlink(magic, input_ / "magic.png");
    fs::create_symlink("/proc/self/root", input_ / "magicroot");
    ASSERT_EQ(mkfifo((input_ / "fifo.png").c_str(), 0600), 0);
    // Only root may make one; for others the name is not there, which is refused as well.
    static_cast<void>(mknod((input_ / "device.png").c_str(), S_IFCHR | 0600, makedev(1, 5)));
    BindSocket();
    WriteFile(input_ / "huge.png", Picture(40));
    fs::resize_file(input_ / "huge.png", kMostBytes + 1);
  }

  // No network: a name in the file system.
  void BindSocket() {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "socket.png"};
    socket_ = UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const fs::path before = fs::current_path();
    fs::current_path(input_);
    ASSERT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    fs::current_path(before);
  }

  static void WriteFile(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  static std::string Picture(std::uint8_t grey) {
    const std::vector<std::uint8_t> pixels(std::size_t{4} * 3 * 3, grey);
    return *EncodePng({.bytes = pixels.data(), .width = 4, .height = 3, .channels = 3});
  }

  // How often a canary was opened or read since the last call.
  int CanaryEvents() {
    alignas(inotify_event) std::array<char, 4096> events;
    int count = 0;
    for (ssize_t got = 0; (got = read(watch_.get(), events.data(), events.size())) > 0;) {
      for (ssize_t at = 0; at < got; ++count) {
        const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
        at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
      }
    }
    return count;
  }

  std::vector<std::string> HostileNames() const {
    const std::string canary = (root_ / "canary.png").string();
    return {
        "../canary.png",
        "../../canary.png",
        "folder/../../canary.png",
        "folder/../../../canary.png",
        "./../canary.png",
        "folder/./.././../canary.png",
        "..//canary.png",
        "../input/../canary.png",
        "../output/made.png",
        canary,
        "/" + canary,
        "//" + canary,
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/fd/" + std::to_string(held_.get()),
        "/proc/self/root" + canary,
        "/dev/zero",
        "..\\canary.png",
        "..\\..\\canary.png",
        "%2e%2e/canary.png",
        "..%2fcanary.png",
        "%2e%2e%2f%2e%2e%2fcanary.png",
        "..%252fcanary.png",
        "..\xc0\xaf"
        "canary.png",
        std::string("good.png\0../../canary.png", 25),
        std::string("../canary.png\0.png", 18),
        "absolute.png",
        "relative.png",
        "chain.png",
        "up/canary.png",
        "up/../canary.png",
        "slash" + canary,
        "magic.png",
        "magicroot" + canary,
        "loop1.png",
        "fifo.png",
        "device.png",
        "socket.png",
        "directory.png",
        "good.png/",
        "good.png/../../../canary.png",
        "",
        ".",
        "..",
        "/",
        "~/canary.png",
        "file://" + canary,
        "../canary.png [input]",
        "../canary.png [output]",
        "../input/good.png [output]",
        "good.png [temp]",
        "made.png",
        std::string(5000, 'a'),
        std::string(2000, '/') + canary,
    };
  }

  fs::path root_;
  fs::path input_;
  UniqueFd watch_;
  UniqueFd held_;
  UniqueFd socket_;
  std::shared_ptr<const Workspace> workspace_;
};

TEST_F(WorkspaceTest, ReadsWhatLiesInItsFolders) {
  for (const char* name : {"good.png", "inside.png", "folder/deep.png", "./folder/../good.png",
                           "good.png [input]", "made.png [output]"}) {
    const Result<std::string> read = workspace_->Read(name);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(DecodePng(*read).ok());
    EXPECT_TRUE(workspace_->StampOf(name).ok());
  }
  EXPECT_EQ(CanaryEvents(), 0);
}

TEST_F(WorkspaceTest, NoHostileNameReadsAnything) {
  ASSERT_GE(HostileNames().size(), 30U);
  for (const std::string& name : HostileNames()) {
    SCOPED_TRACE(name);
    EXPECT_FALSE(workspace_->Read(name).ok());
    EXPECT_FALSE(workspace_->StampOf(name).ok());
  }
  EXPECT_EQ(workspace_->Read("huge.png").error().code, ErrorCode::kResourceLimit);
  EXPECT_EQ(CanaryEvents(), 0);
  // The watch would have told.
  std::ifstream(root_ / "canary.png").get();
  EXPECT_GT(CanaryEvents(), 0);
}

TEST_F(WorkspaceTest, AFileThatIsReplacedShows) {
  const FileStamp before = *workspace_->StampOf("good.png");
  EXPECT_EQ(*workspace_->StampOf("good.png"), before);
  WriteFile(input_ / "new.png", Picture(11));
  fs::rename(input_ / "new.png", input_ / "good.png");
  EXPECT_NE(*workspace_->StampOf("good.png"), before);
}

TEST_F(WorkspaceTest, ListsItsPicturesOnly) {
  EXPECT_THAT(workspace_->ListInput(".png"), ElementsAre("good.png", "huge.png", "inside.png"));
  EXPECT_EQ(CanaryEvents(), 0);
}

TEST_F(WorkspaceTest, SavesBeneathItsOutputAndNowhereElse) {
  fs::create_symlink("../..", root_ / "work/output/up");
  fs::create_symlink(root_ / "canary.png", root_ / "work/output/trap_00001_.png");
  const auto files = [&] {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      found.insert(entry.path().lexically_relative(root_).string());
    }
    return found;
  };
  const std::set<std::string> before = files();
  for (const std::string& prefix :
       {std::string("../x"), std::string("../../x"), root_.string() + "/x", std::string("/tmp/x"),
        std::string("up/x"), std::string("a/../../x"), std::string("x\0y", 3), std::string(),
        std::string(5000, 'x')}) {
    SCOPED_TRACE(prefix);
    EXPECT_FALSE(workspace_->SaveNew(prefix, "bytes").ok());
  }
  // A folder that comes before what is refused may be made, in the output.
  fs::remove(root_ / "work/output/a");
  EXPECT_EQ(files(), before);
  EXPECT_TRUE(workspace_->SaveNew("x", "one").ok());
  EXPECT_TRUE(workspace_->SaveNew("x", "two").ok());
  EXPECT_TRUE(workspace_->SaveNew("new/folder/y", "three").ok());
  EXPECT_TRUE(workspace_->SaveNew("trap", "four").ok());
  for (const char* made :
       {"x_00001_.png", "x_00002_.png", "new/folder/y_00001_.png", "trap_00002_.png"}) {
    EXPECT_TRUE(fs::is_regular_file(root_ / "work/output" / made)) << made;
  }
  EXPECT_EQ(CanaryEvents(), 0);
}

// The disk that is full is a limit on the size of files.
TEST_F(WorkspaceTest, LeavesNothingOfWhatItCannotWriteToItsEnd) {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status saved = workspace_->SaveNew("x", std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(saved.ok());
  EXPECT_FALSE(fs::exists(root_ / "work/output/x_00001_.png"));
}

TEST_F(WorkspaceTest, NeedsBothFolders) {
  fs::remove_all(root_ / "work/output");
  EXPECT_FALSE(Workspace::Open((root_ / "work").string()).ok());
  EXPECT_FALSE(Workspace::Open((root_ / "nowhere").string()).ok());
}

TEST_F(WorkspaceTest, FollowsNoLinkIfItShallNot) {
  const auto opens = [](const fs::path& folder) {
    return Workspace::Open(folder.string(), {}, FolderLinks::kRefused).ok();
  };
  EXPECT_TRUE(opens(root_ / "work"));
  fs::create_directory_symlink(root_ / "work", root_ / "link");
  EXPECT_TRUE(Workspace::Open((root_ / "link").string()).ok());
  EXPECT_FALSE(opens(root_ / "link"));
  fs::rename(root_ / "work/output", root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "work/output");
  EXPECT_TRUE(Workspace::Open((root_ / "work").string()).ok());
  EXPECT_FALSE(opens(root_ / "work"));
}

// The nodes, by a prompt.
class PictureNodesTest : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    registry_ = std::move(*BuiltinNodes(FaultNodes::kAbsent, workspace_));
  }

  graph::Verdict Judge(const Json& nodes) {
    prompt_ = *graph::Prompt::Parse(graph::DumpJson(nodes));
    return graph::Validate(registry_, prompt_);
  }
  static Json LoadAndShow(const Json& name) {
    return {{"1", {{"class_type", "LoadImage"}, {"inputs", {{"image", name}}}}},
            {"2", {{"class_type", "SaveTensor"}, {"inputs", {{"images", {"1", 0}}}}}}};
  }
  void Take(const Json& nodes) {
    const graph::Verdict verdict = Judge(nodes);
    ASSERT_TRUE(verdict.valid) << verdict.ToJson();
    executor_ = std::make_unique<graph::Executor>(graph::Plan::Make(registry_, prompt_, verdict),
                                                  pool_, faults_);
  }

  graph::NodeRegistry registry_;
  graph::Prompt prompt_;
  graph::TensorPool pool_{1U << 24};
  graph::FaultHooks faults_;
  std::unique_ptr<graph::Executor> executor_;
};

TEST_F(PictureNodesTest, AHostileNameIsRefusedAndReadsNothing) {
  for (const std::string& name : HostileNames()) {
    SCOPED_TRACE(name);
    const graph::Verdict verdict = Judge(LoadAndShow(name));
    ASSERT_FALSE(verdict.valid);
    const Json& error = verdict.node_errors["1"]["errors"][0];
    EXPECT_EQ(error["type"], "custom_validation_failed");
    EXPECT_THAT(error["details"].get<std::string>(), HasSubstr("image - Invalid image file: "));
  }
  EXPECT_EQ(CanaryEvents(), 0);
}

// A match type feeds anything, so the name meets no validation.
TEST_F(PictureNodesTest, AHostileNameThatComesByALinkFailsWhenItRuns) {
  for (const std::string& name : HostileNames()) {
    SCOPED_TRACE(name);
    Json nodes = LoadAndShow({"3", 0});
    nodes["3"] = {{"class_type", "ComfySwitchNode"},
                  {"inputs", {{"switch", true}, {"on_false", 0}, {"on_true", name}}}};
    const graph::Verdict verdict = Judge(nodes);
    if (!verdict.valid) {
      continue;
    }
    Take(nodes);
    EXPECT_TRUE(executor_->Load());
  }
  EXPECT_EQ(CanaryEvents(), 0);
}

TEST_F(PictureNodesTest, APictureIsReadOnceAndAgainWhenItIsReplaced) {
  Take(LoadAndShow("good.png"));
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(executor_->Run({}, graph::FrameUse::kShown));
  EXPECT_EQ(executor_->result(0).shape(), (graph::TensorShape{1, 3, 4, 3}));
  EXPECT_EQ(executor_->result(0).data()[0], 10.0F / 255.0F);
  WriteFile(input_ / "new.png", Picture(11));
  fs::rename(input_ / "new.png", input_ / "good.png");
  EXPECT_FALSE(executor_->Run({}, graph::FrameUse::kShown));
  EXPECT_EQ(executor_->result(0).data()[0], 11.0F / 255.0F);
  fs::remove(input_ / "good.png");
  EXPECT_TRUE(executor_->Run({}, graph::FrameUse::kShown));
}

TEST_F(PictureNodesTest, SaveImageWritesWhatIsShownOnce) {
  Take({{"1", {{"class_type", "LoadImage"}, {"inputs", {{"image", "good.png"}}}}},
        {"2",
         {{"class_type", "SaveImage"},
          {"inputs", {{"images", {"1", 0}}, {"filename_prefix", "dir/%width%x%height%"}}}}},
        {"3", {{"class_type", "PreviewImage"}, {"inputs", {{"images", {"1", 0}}}}}}});
  EXPECT_FALSE(executor_->Load());
  EXPECT_FALSE(fs::exists(root_ / "work/output/dir"));
  EXPECT_FALSE(executor_->Run({}, graph::FrameUse::kShown));
  EXPECT_FALSE(executor_->Run({}, graph::FrameUse::kShown));
  const Result<std::string> saved = workspace_->Read("dir/4x3_00001_.png [output]");
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  EXPECT_EQ(DecodePng(*saved)->rgba[0], 10);
  EXPECT_FALSE(workspace_->Read("dir/4x3_00002_.png [output]").ok());
  EXPECT_TRUE(workspace_->Read("ComfyUI_temp_00001_.png [output]").ok());
}

TEST_F(PictureNodesTest, WhatCouldNotBeSavedIsSavedLater) {
  WriteFile(root_ / "work/output/dir", "in the way");
  Take({{"1", {{"class_type", "LoadImage"}, {"inputs", {{"image", "good.png"}}}}},
        {"2",
         {{"class_type", "SaveImage"},
          {"inputs", {{"images", {"1", 0}}, {"filename_prefix", "dir/x"}}}}}});
  EXPECT_FALSE(executor_->Load());
  EXPECT_TRUE(executor_->Run({}, graph::FrameUse::kShown));
  EXPECT_TRUE(executor_->Run({}, graph::FrameUse::kShown));
  fs::remove(root_ / "work/output/dir");
  EXPECT_FALSE(executor_->Run({}, graph::FrameUse::kShown));
  EXPECT_TRUE(workspace_->Read("dir/x_00001_.png [output]").ok());
}

TEST_F(PictureNodesTest, WithoutAWorkspaceTheyRefuseEveryPrompt) {
  registry_ = std::move(*BuiltinNodes());
  const graph::Verdict verdict = Judge(LoadAndShow("good.png"));
  ASSERT_FALSE(verdict.valid);
  EXPECT_THAT(verdict.node_errors["1"]["errors"][0]["details"].get<std::string>(),
              HasSubstr("no workspace"));
}

TEST(PngImageTest, AlphaAndGreyAndPalette) {
  if (!PngIsBuiltIn()) {
    GTEST_SKIP() << "built without libpng";
  }
  const std::vector<std::uint8_t> rgba{1, 2, 3, 4, 5, 6, 7, 8};
  const Result<PngImage> image =
      DecodePng(*EncodePng({.bytes = rgba.data(), .width = 1, .height = 2, .channels = 4}));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->rgba, rgba);
  EXPECT_TRUE(image->has_alpha);
  const Result<PngImage> grey =
      DecodePng(*EncodePng({.bytes = rgba.data(), .width = 2, .height = 1, .channels = 1}));
  ASSERT_TRUE(grey.ok());
  EXPECT_THAT(grey->rgba, ElementsAre(1, 1, 1, 255, 2, 2, 2, 255));
  EXPECT_FALSE(grey->has_alpha);
}

TEST(PngImageTest, BrokenFilesAndLargeOnesAreRefused) {
  if (!PngIsBuiltIn()) {
    GTEST_SKIP() << "built without libpng";
  }
  const std::vector<std::uint8_t> pixels(std::size_t{20} * 20 * 3, 7);
  const std::string file =
      *EncodePng({.bytes = pixels.data(), .width = 20, .height = 20, .channels = 3});
  for (std::size_t length = 0; length < file.size(); ++length) {
    // The last chunk is empty and ends the file; its loss is a warning.
    EXPECT_FALSE(DecodePng(std::string_view(file).substr(0, length)).ok() &&
                 length + 12 < file.size())
        << length;
  }
  std::string flipped = file;
  flipped[20] ^= 1;  // in the header, which has a checksum
  EXPECT_FALSE(DecodePng(flipped).ok());
  EXPECT_FALSE(DecodePng("GIF89a").ok());
  EXPECT_FALSE(DecodePng(file, {.max_side = 19}).ok());
  const Result<PngImage> many = DecodePng(file, {.max_pixels = 399});
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().code, ErrorCode::kResourceLimit);
}

}  // namespace
}  // namespace framelock::nodes
