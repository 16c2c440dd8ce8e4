// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <optional>

#include "pipeline/core/result.h"
#include "pipeline/stream/picture_size.h"

namespace framelock::stream {

/// From pictures of any size to RGB of one size: the middle of each, in the target's shape, scaled
/// to it. The size may change while pictures flow; a picture is cropped and scaled for one size,
/// whichever thread asks for another meanwhile. Its elements belong to the pipeline; destroy this
/// only after the pipeline has stopped.
class CoverScale {
 public:
  /// Adds its elements to `pipeline` and links them to `next`.
  static Result<std::unique_ptr<CoverScale>> Create(PictureSize size, GstBin* pipeline,
                                                    GstElement* next);
  CoverScale(const CoverScale&) = delete;
  CoverScale& operator=(const CoverScale&) = delete;

  /// Where pictures go in.
  [[nodiscard]] GstElement* entry() const { return crop_; }

  /// From the next picture on. Any thread; never blocks.
  void Resize(PictureSize size);

 private:
  CoverScale() = default;

  Status Build(PictureSize size, GstBin* pipeline, GstElement* next);
  void Apply(PictureSize size);
  static GstPadProbeReturn OnPicture(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  GstElement* crop_ = nullptr;
  GstElement* size_ = nullptr;  // the capsfilter behind the scaler
  std::mutex mutex_;            // what follows
  std::optional<PictureSize> wanted_;
};

}  // namespace framelock::stream
