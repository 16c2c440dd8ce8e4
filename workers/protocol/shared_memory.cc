// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "workers/protocol/shared_region.h"

namespace framelock::protocol {

namespace {

Result<std::byte*> MapShared(int fd, std::uint64_t bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) {
    return ErrnoError("map " + std::to_string(bytes) + " bytes of shared memory");
  }
  return static_cast<std::byte*>(address);
}

}  // namespace

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  if (this == &other) return *this;
  if (data_ != nullptr) ::munmap(data_, size_);
  fd_ = std::move(other.fd_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Result<SharedMemory> SharedMemory::Create(std::string_view name, std::uint64_t bytes) {
  if (bytes == 0 || bytes > kMaxRegionBytes) {
    return Error{ErrorCode::kInvalidArgument, "shared memory of " + std::to_string(bytes) +
                                                  " bytes: must be 1 to " +
                                                  std::to_string(kMaxRegionBytes)};
  }
  SharedMemory memory;
  memory.fd_.reset(::memfd_create(std::string(name).c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory.fd_) return ErrnoError("create shared memory");
  if (::ftruncate(memory.fd(), static_cast<off_t>(bytes)) != 0) {
    return ErrnoError("size shared memory to " + std::to_string(bytes) + " bytes");
  }
  if (::fcntl(memory.fd(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return ErrnoError("seal shared memory");
  }
  auto address = MapShared(memory.fd(), bytes);
  if (!address) return address.error();
  memory.data_ = *address;
  memory.size_ = bytes;
  return memory;
}

Result<SharedMemory> SharedMemory::Map(UniqueFd fd, std::uint64_t bytes) {
  if (bytes == 0 || bytes > kMaxRegionBytes) {
    return Error{ErrorCode::kProtocol, "shared memory of " + std::to_string(bytes) +
                                           " bytes: not within 1 to " +
                                           std::to_string(kMaxRegionBytes)};
  }
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
    return Error{ErrorCode::kProtocol, "shared memory is not a memfd sealed against shrinking"};
  }
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return ErrnoError("size of shared memory");
  if (std::cmp_not_equal(file.st_size, bytes)) {
    return Error{ErrorCode::kProtocol, "shared memory has " + std::to_string(file.st_size) +
                                           " bytes instead of " + std::to_string(bytes)};
  }
  auto address = MapShared(fd.get(), bytes);
  if (!address) return address.error();
  SharedMemory memory;
  memory.fd_ = std::move(fd);
  memory.data_ = *address;
  memory.size_ = bytes;
  return memory;
}

}  // namespace framelock::protocol
