// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/workspace.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace framelock::nodes {

namespace {

constexpr std::size_t kLongestName = 1024;
constexpr int kTries = 8;  // the kernel gives up where somebody renames folders meanwhile

// A path from a prompt, resolved beneath a folder. -1 and errno as open() has them.
int OpenBeneath(int folder, const std::string& path, int flags, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int i = 0;; ++i) {
    const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof(how));
    if (fd >= 0 || errno != EAGAIN || i == kTries) {
      return static_cast<int>(fd);
    }
  }
}

Error BadName(const std::string& name, const char* reason) {
  return {ErrorCode::kInvalidArgument, "'" + name + "' " + reason};
}

Error OpenError(const std::string& name) {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorCode::kNotFound, "'" + name + "' is not there"};
    case EXDEV:
    case ELOOP:
      return BadName(name, "leads out of the workspace");
    default:
      return ErrnoError("open '" + name + "'");
  }
}

// The kernel is the judge of paths; this only refuses what does not reach it as it is.
std::optional<Error> CheckName(const std::string& name) {
  if (name.empty() || name.size() > kLongestName) {
    return BadName(name.substr(0, kLongestName), "is no file name");
  }
  if (name.find('\0') != std::string::npos) {
    return BadName(name.substr(0, name.find('\0')), "has a zero byte");
  }
  return std::nullopt;
}

Result<std::string> ReadAll(int fd, std::uint64_t max_bytes, const std::string& name) {
  std::string bytes;
  std::array<char, 65536> chunk;
  while (true) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0) {
      return ErrnoError("read '" + name + "'");
    }
    if (got == 0) {
      return bytes;
    }
    if (bytes.size() + static_cast<std::size_t>(got) > max_bytes) {
      return Error{ErrorCode::kResourceLimit,
                   "'" + name + "' is longer than " + std::to_string(max_bytes) + " bytes"};
    }
    bytes.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Status WriteAll(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      return ErrnoError("write '" + name + "'");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<UniqueFd> OpenFolder(const std::string& path, FolderLinks links) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  UniqueFd fd;
  if (links == FolderLinks::kFollowed) {
    fd.reset(open(path.c_str(), kFlags));
  } else {
    open_how how{};
    how.flags = kFlags;
    how.resolve = RESOLVE_NO_SYMLINKS;
    fd.reset(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how))));
  }
  if (!fd) {
    return ErrnoError("workspace: open " + path);
  }
  return fd;
}

std::int64_t Nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Names of a folder's entries, or nothing if it cannot be read.
class FolderReader {
 public:
  explicit FolderReader(int folder) {
    UniqueFd fd(OpenBeneath(folder, ".", O_RDONLY | O_DIRECTORY));
    stream_ = fd ? fdopendir(fd.get()) : nullptr;
    if (stream_ != nullptr) {
      static_cast<void>(fd.release());
    }
  }
  ~FolderReader() {
    if (stream_ != nullptr) {
      closedir(stream_);
    }
  }
  FolderReader(const FolderReader&) = delete;
  FolderReader& operator=(const FolderReader&) = delete;

  std::optional<std::string> Next() {
    const dirent* entry = stream_ == nullptr ? nullptr : readdir(stream_);
    return entry == nullptr ? std::nullopt : std::optional<std::string>(entry->d_name);
  }

 private:
  DIR* stream_ = nullptr;
};

// Of the files STEM_NUMBER_…, the highest number; 0 if there is none.
std::uint32_t HighestNumber(int folder, const std::string& stem) {
  FolderReader reader(folder);
  const std::string start = stem + "_";
  std::uint32_t highest = 0;
  while (const std::optional<std::string> name = reader.Next()) {
    if (name->starts_with(start)) {
      std::uint32_t number = 0;
      std::from_chars(name->data() + start.size(), name->data() + name->size(), number);
      highest = std::max(highest, number);
    }
  }
  return highest;
}

// Takes " [input]" or " [output]" off the end of a name.
bool TakeSuffix(std::string& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) {
    return false;
  }
  name.resize(name.size() - suffix.size());
  return true;
}

}  // namespace

Workspace::Workspace(UniqueFd input, UniqueFd output, const WorkspaceLimits& limits)
    : input_(std::move(input)), output_(std::move(output)), limits_(limits) {}

Result<std::shared_ptr<const Workspace>> Workspace::Open(const std::string& folder,
                                                         const WorkspaceLimits& limits,
                                                         FolderLinks links) {
  Result<UniqueFd> input = OpenFolder(folder + "/input", links);
  if (!input.ok()) {
    return input.error();
  }
  Result<UniqueFd> output = OpenFolder(folder + "/output", links);
  if (!output.ok()) {
    return output.error();
  }
  if (!UniqueFd(OpenBeneath(input->get(), ".", O_PATH | O_DIRECTORY))) {
    return Error{ErrorCode::kUnavailable, "workspace: " + ErrnoError("openat2").message +
                                              "; a Linux of 5.6 or later has it"};
  }
  return std::shared_ptr<const Workspace>(
      new Workspace(std::move(*input), std::move(*output), limits));
}

std::vector<std::string> Workspace::ListInput(const std::string& ending) const {
  std::vector<std::string> names;
  FolderReader reader(input_.get());
  while (names.size() < limits_.max_listed) {
    std::optional<std::string> name = reader.Next();
    if (!name) {
      break;
    }
    struct stat found {};
    if (name->ends_with(ending) && OpenFile(*name, found).ok()) {
      names.push_back(std::move(*name));
    }
  }
  std::ranges::sort(names);
  return names;
}

// A regular file, for reading. Looks before it opens, because opening a device can be an act, and
// again afterwards, because the name may lead elsewhere by then.
Result<UniqueFd> Workspace::OpenFile(const std::string& name, struct stat& found) const {
  if (const auto bad = CheckName(name)) {
    return *bad;
  }
  std::string path = name;
  const bool in_output = TakeSuffix(path, " [output]");
  if (!in_output) {
    TakeSuffix(path, " [input]");
  }
  const int folder = in_output ? output_.get() : input_.get();
  const UniqueFd seen(OpenBeneath(folder, path, O_PATH));
  if (!seen) {
    return OpenError(name);
  }
  struct stat before {};
  if (fstat(seen.get(), &before) != 0 || !S_ISREG(before.st_mode)) {
    return BadName(name, "is no regular file");
  }
  UniqueFd file(OpenBeneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    return OpenError(name);
  }
  if (fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_ino != before.st_ino ||
      found.st_dev != before.st_dev) {
    return BadName(name, "changes while it is opened");
  }
  return file;
}

Result<FileStamp> Workspace::StampOf(const std::string& name) const {
  struct stat found {};
  const Result<UniqueFd> file = OpenFile(name, found);
  if (!file.ok()) {
    return file.error();
  }
  return FileStamp{.device = found.st_dev,
                   .inode = found.st_ino,
                   .bytes = found.st_size,
                   .modified_ns = Nanoseconds(found.st_mtim),
                   .changed_ns = Nanoseconds(found.st_ctim)};
}

Result<std::string> Workspace::Read(const std::string& name) const {
  struct stat found {};
  const Result<UniqueFd> file = OpenFile(name, found);
  if (!file.ok()) {
    return file.error();
  }
  return ReadAll(file->get(), limits_.max_file_bytes, name);
}

// The folder that a prefix names, made where it is missing; each part beneath the one before.
Result<UniqueFd> Workspace::MakeFolder(const std::string& path) const {
  UniqueFd folder(OpenBeneath(output_.get(), ".", O_PATH | O_DIRECTORY));
  std::size_t start = 0;
  while (folder && start < path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    start = end + 1;
    if (part.empty()) {
      continue;
    }
    if (part == ".." || (mkdirat(folder.get(), part.c_str(), 0777) != 0 && errno != EEXIST)) {
      return BadName(path, "is no folder of the workspace");
    }
    folder.reset(OpenBeneath(folder.get(), part, O_PATH | O_DIRECTORY));
  }
  if (!folder) {
    return OpenError(path);
  }
  return folder;
}

Status Workspace::SaveNew(const std::string& prefix, const std::string& bytes) const {
  if (const auto bad = CheckName(prefix)) {
    return *bad;
  }
  if (prefix.front() == '/') {
    return BadName(prefix, "leads out of the workspace");
  }
  const std::size_t slash = prefix.rfind('/');
  const bool nested = slash != std::string::npos;
  const Result<UniqueFd> folder = MakeFolder(nested ? prefix.substr(0, slash) : "");
  if (!folder.ok()) {
    return folder.error();
  }
  const std::string stem = nested ? prefix.substr(slash + 1) : prefix;
  for (std::uint32_t number = HighestNumber(folder->get(), stem) + 1; number <= limits_.max_saved;
       ++number) {
    std::array<char, 16> digits;
    std::snprintf(digits.data(), digits.size(), "_%05u_.png", number);
    const std::string name = stem + digits.data();
    const UniqueFd file(
        OpenBeneath(folder->get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
    if (file) {
      Status written = WriteAll(file.get(), bytes, name);
      if (!written.ok()) {
        unlinkat(folder->get(), name.c_str(), 0);  // half a picture is none
      }
      return written;
    }
    if (errno != EEXIST) {
      return OpenError(name);
    }
  }
  return Error{ErrorCode::kResourceLimit, "the pictures of '" + prefix + "' have reached number " +
                                              std::to_string(limits_.max_saved)};
}

}  // namespace framelock::nodes
