// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/echo_peers.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "pipeline/core/unique_fd.h"
#include "workers/protocol/shared_region.h"

namespace framelock::bench {
namespace {

// A forked process that runs `serve` until it returns, and is killed at the latest with us.
class EchoChild {
 public:
  static Result<EchoChild> Fork(const std::function<void()>& serve) {
    const pid_t pid = ::fork();
    if (pid < 0) return ErrnoError("fork");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve();
      ::_exit(0);
    }
    return EchoChild(pid);
  }
  EchoChild(EchoChild&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ~EchoChild() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  explicit EchoChild(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

bool WriteAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

bool ReadAll(int fd, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

bool Signal(int fd) {
  const std::uint64_t one = 1;
  return ::write(fd, &one, sizeof one) == sizeof one;
}

bool AwaitSignal(int fd) {
  std::uint64_t count = 0;
  return ::read(fd, &count, sizeof count) == sizeof count;
}

Error Broken() { return {ErrorCode::kClosed, "the other process went away"}; }

// Two descriptors: what one end writes the other reads. A socket has both in one.
struct Way {
  UniqueFd near_write, near_read, far_read, far_write;
};

// Each side holds the whole frame, as it would to work on it.
Result<Distribution> MeasureStream(const RoundTrips& trips, const Way& way) {
  const std::size_t size = trips.frame.bytes();
  const auto child = EchoChild::Fork([&] {
    std::vector<std::byte> frame(size);
    while (ReadAll(way.far_read.get(), frame) && WriteAll(way.far_write.get(), frame)) {
    }
  });
  if (!child) return child.error();
  std::vector<std::byte> frame(size, std::byte{0x5A});
  std::vector<std::byte> back(size);
  return trips.Measure([&]() -> Status {
    if (!WriteAll(way.near_write.get(), frame)) return Broken();
    if (!ReadAll(way.near_read.get(), back)) return Broken();
    return {};
  });
}

// Numbers in microseconds, one a line.
constexpr const char* kPythonQueue = R"(
import multiprocessing, sys, time

def echo(there, back):
    while True:
        back.put(there.get())

size, seconds, pause, warm_up = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
there, back = multiprocessing.Queue(1), multiprocessing.Queue(1)
multiprocessing.Process(target=echo, args=(there, back), daemon=True).start()
frame = b"Z" * size
i, end = 0, time.monotonic() + seconds
while i < 2 * warm_up or time.monotonic() < end:
    time.sleep(pause)
    start = time.monotonic()
    there.put(frame)
    assert len(back.get()) == size
    if i >= warm_up:
        print((time.monotonic() - start) * 1e6)
    i += 1
)";

}  // namespace

Result<Distribution> MeasureSharedMemory(const RoundTrips& trips) {
  const std::size_t size = trips.frame.bytes();
  auto memory = protocol::SharedMemory::Create("framelock-bench", size);
  if (!memory) return memory.error();
  const UniqueFd there(::eventfd(0, EFD_CLOEXEC));
  const UniqueFd back(::eventfd(0, EFD_CLOEXEC));
  if (!there.valid() || !back.valid()) return ErrnoError("create an eventfd");
  const auto child = EchoChild::Fork([&] {
    while (AwaitSignal(there.get()) && Signal(back.get())) {
    }
  });
  if (!child) return child.error();
  const std::vector<std::byte> frame(size, std::byte{0x5A});
  return trips.Measure([&]() -> Status {
    std::memcpy(memory->bytes().data(), frame.data(), size);
    if (!Signal(there.get()) || !AwaitSignal(back.get())) return Broken();
    return {};
  });
}

Result<Distribution> MeasurePipe(const RoundTrips& trips) {
  std::array<int, 2> there{};
  std::array<int, 2> back{};
  if (::pipe2(there.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  Way way{.near_write = UniqueFd(there[1]), .far_read = UniqueFd(there[0])};
  if (::pipe2(back.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  way.near_read = UniqueFd(back[0]);
  way.far_write = UniqueFd(back[1]);
  // Deeper is faster; where it is not allowed the pipe stays as it is.
  static_cast<void>(::fcntl(there[1], F_SETPIPE_SZ, 1 << 20));
  static_cast<void>(::fcntl(back[1], F_SETPIPE_SZ, 1 << 20));
  return MeasureStream(trips, way);
}

Result<Distribution> MeasureUnixSocket(const RoundTrips& trips) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return ErrnoError("create a socket pair");
  }
  Way way{.near_write = UniqueFd(ends[0]), .far_read = UniqueFd(ends[1])};
  way.near_read = UniqueFd(::dup(ends[0]));
  way.far_write = UniqueFd(::dup(ends[1]));
  return MeasureStream(trips, way);
}

Result<Distribution> MeasurePythonQueue(const RoundTrips& trips) {
  constexpr const char* kPython = "/usr/bin/python3";
  if (::access(kPython, X_OK) != 0) return Error{ErrorCode::kNotFound, "no python3 here"};
  const auto seconds = [](auto time) {
    return std::to_string(std::chrono::duration<double>(time).count());
  };
  const std::string command = std::string(kPython) + " -c '" + kPythonQueue + "' " +
                              std::to_string(trips.frame.bytes()) + " " + seconds(trips.run_time) +
                              " " + seconds(RoundTrips::kPause) + " " +
                              std::to_string(RoundTrips::kWarmUp);
  const auto close = [](std::FILE* file) { ::pclose(file); };
  std::unique_ptr<std::FILE, decltype(close)> output(::popen(command.c_str(), "re"), close);
  if (!output) return ErrnoError("start python3");
  Distribution times;
  double microseconds = 0;
  while (std::fscanf(output.get(), "%lf", &microseconds) == 1) times.Add(microseconds);
  const int status = ::pclose(output.release());
  if (status != 0 || times.size() == 0) {
    return Error{ErrorCode::kInternal, "python3's queue gave no figures"};
  }
  return times;
}

}  // namespace framelock::bench
