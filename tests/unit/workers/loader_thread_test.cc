// SPDX-License-Identifier: Apache-2.0
#include "workers/main/loader_thread.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "workers/graph/node_registry.h"

namespace framelock::worker {
namespace {

using Job = PromptLoader::Job;
using Loaded = PromptLoader::Loaded;

bool Readable(int fd, int timeout_ms) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

TEST(LoaderThread, LoadsBesideItsOwner) {
  std::promise<void> go;
  auto loader = LoaderThread::Create([gone = go.get_future().share()](const Job& job) {
    gone.wait();
    Loaded loaded;
    loaded.revision = job.revision;
    loaded.errors_json = job.json;
    return loaded;
  });
  ASSERT_TRUE(loader);
  EXPECT_FALSE((*loader)->busy());
  (*loader)->Start({.revision = 7, .json = "text"});
  EXPECT_TRUE((*loader)->busy());
  EXPECT_FALSE((*loader)->Take());
  EXPECT_FALSE(Readable((*loader)->fd(), 0));
  go.set_value();
  ASSERT_TRUE(Readable((*loader)->fd(), 10'000));
  const auto loaded = (*loader)->Take();
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->revision, 7U);
  EXPECT_EQ(loaded->errors_json, "text");
  EXPECT_FALSE((*loader)->busy());
  EXPECT_FALSE((*loader)->Take());
  EXPECT_FALSE(Readable((*loader)->fd(), 0));
}

TEST(LoaderThread, EndsAGraphWithoutItsOwner) {
  const graph::NodeRegistry registry;
  auto session = graph::Session::Create(registry);
  ASSERT_TRUE(session);
  auto loader = LoaderThread::Create([](const Job& job) {
    Loaded loaded;
    loaded.revision = job.revision;
    return loaded;
  });
  ASSERT_TRUE(loader);
  (*loader)->Discard(nullptr);
  EXPECT_FALSE((*loader)->busy());
  (*loader)->Discard(std::move(*session));
  for (std::uint64_t revision = 1; revision <= 3; ++revision) {
    (*loader)->Start({.revision = revision});
    ASSERT_TRUE(Readable((*loader)->fd(), 10'000));
    EXPECT_EQ((*loader)->Take()->revision, revision);
  }
  EXPECT_FALSE((*loader)->busy());
}

}  // namespace
}  // namespace framelock::worker
