// SPDX-License-Identifier: Apache-2.0
#include "workers/main/loader_thread.h"

#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>

#include "pipeline/core/thread_name.h"
#include "workers/graph/row_threads.h"

namespace framelock::worker {

namespace {

constexpr int kNiceness = 5;  // the frames come first

}  // namespace

LoaderThread::LoaderThread(Load load, EventFd ready)
    : load_(std::move(load)), ready_(std::move(ready)) {}

Result<std::unique_ptr<LoaderThread>> LoaderThread::Create(Load load) {
  auto ready = EventFd::Create();
  if (!ready) return ready.error();
  auto loader = std::unique_ptr<LoaderThread>(new LoaderThread(std::move(load), std::move(*ready)));
  try {
    loader->thread_ = std::thread([self = loader.get()] { self->Run(); });
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kResourceLimit,
                 std::string("no thread to load prompts with: ") + error.what()};
  }
  return loader;
}

LoaderThread::~LoaderThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LoaderThread::Start(Job job) {
  const std::lock_guard lock(mutex_);
  job_ = std::move(job);
  wake_.notify_all();
}

std::optional<PromptLoader::Loaded> LoaderThread::Take() {
  const std::lock_guard lock(mutex_);
  if (loaded_) ready_.Drain();
  return std::exchange(loaded_, std::nullopt);
}

void LoaderThread::Discard(std::unique_ptr<graph::Session> session) {
  if (!session) return;
  const std::lock_guard lock(mutex_);
  discarded_.push_back(std::move(session));
  wake_.notify_all();
}

void LoaderThread::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (loaded_ && loaded_->session) discarded_.push_back(std::move(loaded_->session));
  loaded_.reset();
  wake_.notify_all();
}

bool LoaderThread::busy() const {
  const std::lock_guard lock(mutex_);
  return working_ || job_ || !discarded_.empty();
}

bool LoaderThread::AwaitIdle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline,
                          [this] { return !working_ && !job_ && discarded_.empty(); });
}

void LoaderThread::Run() {
  NameThread("loader");
  // Of this thread alone, on Linux; without it the load only takes more from the frames.
  [[maybe_unused]] const int niceness = ::nice(kNiceness);
  graph::RowThreads::KeepToYourself();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || job_ || !discarded_.empty(); });
    if (stopping_) return;
    auto discarded = std::exchange(discarded_, {});
    auto job = std::exchange(job_, std::nullopt);
    working_ = true;
    lock.unlock();
    discarded.clear();
    std::optional<Loaded> loaded;
    if (job) loaded = load_(std::move(*job));
    lock.lock();
    if (abandoned_ && loaded) {
      lock.unlock();
      loaded.reset();
      lock.lock();
    }
    working_ = false;
    idle_.notify_all();
    if (!loaded) continue;
    loaded_ = std::move(loaded);
    ready_.Notify();
  }
}

}  // namespace framelock::worker
