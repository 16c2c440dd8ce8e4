// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/end_to_end/bare_chain.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <span>
#include <utility>

#include "tests/bench/child_program.h"

namespace framelock::bench {

namespace {

constexpr int kInput = 3;  // descriptor that the program reads

bool WriteAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<BareChain>> BareChain::Start(const RunOptions& run, const std::string& url,
                                                    int width, int height) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  const UniqueFd far(ends[0]);
  std::unique_ptr<BareChain> chain(new BareChain);
  chain->input_ = UniqueFd(ends[1]);
  auto process = process::ChildProcess::Spawn(
      {.argv = DyingWithUs(
           {run.Program("framelock-bench-chain"), std::to_string(width), std::to_string(height)}),
       .inherit_fds = {{far.get(), kInput}},
       .capture_stderr = false});
  if (!process) return process.error();
  chain->process_ = std::move(*process);
  auto subscriber = trickle::Subscriber::Open({.url = url});
  if (!subscriber) return subscriber.error();
  chain->subscriber_ = std::move(*subscriber);
  chain->thread_ = std::jthread([raw = chain.get()] { raw->Feed(); });
  return chain;
}

BareChain::~BareChain() {
  if (subscriber_) subscriber_->Interrupt();
}

Status BareChain::Check() const {
  if (!process_->Poll()) return {};
  return Error{ErrorCode::kUnavailable, "framelock-bench-chain has ended"};
}

void BareChain::Feed() {
  for (;;) {
    const Result<trickle::Piece> piece = subscriber_->Read();
    if (!piece || !WriteAll(input_.get(), piece->bytes)) return;
  }
}

}  // namespace framelock::bench
