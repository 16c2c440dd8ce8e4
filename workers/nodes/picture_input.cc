// SPDX-License-Identifier: Apache-2.0
#include "workers/nodes/picture_input.h"

#include <utility>
#include <vector>

namespace framelock::nodes {

PictureInput::PictureInput(std::shared_ptr<const Workspace> workspace)
    : workspace_(std::move(workspace)) {}

bool PictureInput::HasChanged(const std::string& name) const {
  const Result<FileStamp> now = workspace_->StampOf(name);
  return !now.ok() || !read_ || *now != *read_;
}

// The stamp is taken first: what is written meanwhile shows as a change.
Result<PngImage> PictureInput::Read(const std::string& name) {
  const Result<FileStamp> stamp = workspace_->StampOf(name);
  if (!stamp.ok()) {
    return stamp.error();
  }
  const Result<std::string> file = workspace_->Read(name);
  if (!file.ok()) {
    return file.error();
  }
  Result<PngImage> picture = DecodePng(*file);
  if (!picture.ok()) {
    return Error{picture.error().code, "'" + name + "': " + picture.error().message};
  }
  read_ = *stamp;
  return picture;
}

graph::InputSpec PictureChoice(const std::shared_ptr<const Workspace>& workspace) {
  graph::InputSpec input{.name = "image", .type = "COMBO", .kind = graph::ValueKind::kString};
  input.options["image_upload"] = true;
  input.find_choices = [workspace] {
    return workspace ? workspace->ListInput(".png") : std::vector<std::string>();
  };
  input.refuse = [workspace](const std::string& name) -> std::optional<std::string> {
    if (!workspace || workspace->StampOf(name).ok()) {
      return std::nullopt;
    }
    return "Invalid image file: " + name;
  };
  return input;
}

std::optional<std::string> WhyNoPictures(const Workspace* workspace) {
  if (!PngIsBuiltIn()) {
    return "this worker was built without libpng and has no picture files";
  }
  if (workspace == nullptr) {
    return "this prompt has no workspace: neither --workspace nor the stream's cwd names one";
  }
  return std::nullopt;
}

}  // namespace framelock::nodes
