// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/cover_scale.h"

#include <utility>

#include "pipeline/stream/elements.h"
#include "pipeline/stream/gst_handle.h"

namespace framelock::stream {

Result<std::unique_ptr<CoverScale>> CoverScale::Create(PictureSize size, GstBin* pipeline,
                                                       GstElement* next) {
  std::unique_ptr<CoverScale> scale(new CoverScale);
  if (const Status built = scale->Build(size, pipeline, next); !built) return built.error();
  return scale;
}

Status CoverScale::Build(PictureSize size, GstBin* pipeline, GstElement* next) {
  Result<GstElement*> crop = AddElement(pipeline, "aspectratiocrop");
  if (!crop) return crop.error();
  crop_ = *crop;
  Result<GstElement*> scale = AddElement(pipeline, "videoconvertscale");
  if (!scale) return scale.error();
  Result<GstElement*> filter = AddElement(pipeline, "capsfilter");
  if (!filter) return filter.error();
  size_ = *filter;
  g_object_set(*scale, "add-borders", FALSE, nullptr);
  Apply(size);
  if (gst_element_link_many(crop_, *scale, size_, next, nullptr) == 0) {
    return Error{ErrorCode::kInternal, "scaler and workerfilter do not link"};
  }
  const PadPtr entry(gst_element_get_static_pad(crop_, "sink"));
  gst_pad_add_probe(entry.get(), GST_PAD_PROBE_TYPE_BUFFER, &CoverScale::OnPicture, this, nullptr);
  return {};
}

void CoverScale::Apply(PictureSize size) {
  const CapsPtr caps(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "RGB", "width",
                                         G_TYPE_INT, size.width, "height", G_TYPE_INT, size.height,
                                         "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, nullptr));
  g_object_set(size_, "caps", caps.get(), nullptr);
  g_object_set(crop_, "aspect-ratio", size.width, size.height, nullptr);
}

void CoverScale::Resize(PictureSize size) {
  const std::lock_guard lock(mutex_);
  wanted_ = size;
}

GstPadProbeReturn CoverScale::OnPicture(GstPad* /*pad*/, GstPadProbeInfo* /*info*/, gpointer self) {
  auto* scale = static_cast<CoverScale*>(self);
  std::optional<PictureSize> wanted;
  {
    const std::lock_guard lock(scale->mutex_);
    wanted = std::exchange(scale->wanted_, std::nullopt);
  }
  if (wanted) scale->Apply(*wanted);
  return GST_PAD_PROBE_OK;
}

}  // namespace framelock::stream
