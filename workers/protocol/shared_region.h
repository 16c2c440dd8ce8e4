// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/core/result.h"
#include "pipeline/core/unique_fd.h"
#include "workers/protocol/messages.h"

namespace framelock::protocol {

/// A memfd mapping, sealed against shrinking and growing, so that no peer can make us fault on it.
/// Owns descriptor and mapping. Move-only.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  /// A zeroed, sealed, mapped region of `bytes` (name: for /proc/*/maps only).
  static Result<SharedMemory> Create(std::string_view name, std::uint64_t bytes);

  /// Maps a descriptor that came from a peer: kProtocol unless it is a memfd of exactly `bytes`,
  /// sealed against shrinking.
  static Result<SharedMemory> Map(UniqueFd fd, std::uint64_t bytes);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }
  [[nodiscard]] bool valid() const { return data_ != nullptr; }

 private:
  UniqueFd fd_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A text in a sealed memfd (prompts and error documents of any size travel so).
Result<UniqueFd> MakeTextFd(std::string_view text);
/// Reads such a text: kProtocol unless sealed and exactly `bytes` long, at most kMaxTextBytes.
Result<std::string> ReadTextFd(UniqueFd fd, std::uint64_t bytes);

/// The same for a piece of audio, 1 to kMaxAudioSamples long.
Result<UniqueFd> MakeSamplesFd(std::span<const std::int16_t> samples);
Result<std::vector<std::int16_t>> ReadSamples(UniqueFd fd, std::uint32_t samples);

/// Where slot i lies in a region: all input slots first, then all output slots.
class RegionLayout {
 public:
  /// Range-checks an Attach (dimensions, slot counts, sizes, stride, sum == region_bytes);
  /// kProtocol with the field's name otherwise.
  static Result<RegionLayout> FromAttach(const Attach& attach);

  [[nodiscard]] std::uint64_t region_bytes() const { return attach_.region_bytes; }
  [[nodiscard]] std::uint64_t input_offset(std::uint32_t slot) const;
  [[nodiscard]] std::uint64_t output_offset(std::uint32_t slot) const;
  [[nodiscard]] const Attach& attach() const { return attach_; }

 private:
  explicit RegionLayout(const Attach& attach) : attach_(attach) {}
  Attach attach_;
};

}  // namespace framelock::protocol
