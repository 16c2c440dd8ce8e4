// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gst/gst.h>
#include <unistd.h>

#include <array>
#include <span>
#include <utility>
#include <vector>

#include "examples/channel_elements.h"
#include "pipeline/core/unique_fd.h"
#include "pipeline/process/child_process.h"
#include "tests/bench/end_to_end/source_encoder.h"

namespace framelock::bench {

namespace {

constexpr int kPictures = 3;   // descriptor that ffmpeg reads
constexpr int kTransport = 4;  // that it writes

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoError("create a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<std::string> CommandLine(const SourceEncoder::Options& options) {
  const std::string size = std::to_string(options.width) + "x" + std::to_string(options.height);
  return {"ffmpeg",
          "-v",
          "error",
          "-nostdin",
          "-fflags",
          "nobuffer",
          "-probesize",
          "32",
          "-f",
          "rawvideo",
          "-pix_fmt",
          "rgb24",
          "-s",
          size,
          "-r",
          std::to_string(options.fps),
          "-i",
          "pipe:" + std::to_string(kPictures),
          "-c:v",
          "libx264",
          "-pix_fmt",
          "yuv420p",
          "-preset",
          "superfast",
          "-tune",
          "zerolatency",
          "-bf",
          "0",
          "-threads",
          "1",
          "-g",
          std::to_string(options.gop_frames),
          "-b:v",
          std::to_string(options.bitrate_kbps) + "k",
          "-x264-params",
          "scenecut=0",
          "-f",
          "mpegts",
          "-muxdelay",
          "0",
          "-muxpreload",
          "0",
          "-flush_packets",
          "1",
          "pipe:" + std::to_string(kTransport)};
}

class FfmpegEncoder final : public SourceEncoder {
 public:
  ~FfmpegEncoder() override {
    pictures_.reset();
    process_.reset();
    if (pipeline_ == nullptr) return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  Status Build(const Options& options) {
    Result<Pipe> pictures = MakePipe();
    if (!pictures) return pictures.error();
    Result<Pipe> transport = MakePipe();
    if (!transport) return transport.error();
    auto process =
        process::ChildProcess::Spawn({.argv = CommandLine(options),
                                      .inherit_fds = {{pictures->read_end.get(), kPictures},
                                                      {transport->write_end.get(), kTransport}},
                                      .capture_stderr = false});
    if (!process) return process.error();
    process_ = std::move(*process);
    pictures_ = std::move(pictures->write_end);
    transport_ = std::move(transport->read_end);
    return Publish(options.url);
  }

  // ffmpeg counts the frames itself.
  Status Push(const demo::PictureView& picture, std::chrono::nanoseconds /*time*/) override {
    std::span<const std::uint8_t> left(picture.pixels,
                                       picture.stride * static_cast<std::size_t>(picture.height));
    while (!left.empty()) {
      const ssize_t written = ::write(pictures_.get(), left.data(), left.size());
      if (written < 0) return ErrnoError("write a picture to ffmpeg");
      left = left.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

 private:
  Status Publish(const std::string& url) {
    Result<GstElement*> sink = demo::MakeChannelSink(url);
    if (!sink) return sink.error();
    pipeline_ = gst_pipeline_new("source");
    gst_bin_add(GST_BIN(pipeline_), *sink);
    GstElement* source = gst_element_factory_make("fdsrc", nullptr);
    if (source == nullptr) return Error{ErrorCode::kNotFound, "no GStreamer element fdsrc"};
    g_object_set(source, "fd", transport_.get(), nullptr);
    gst_bin_add(GST_BIN(pipeline_), source);
    GstCaps* caps = gst_caps_from_string("video/mpegts,systemstream=true,packetsize=188");
    const bool linked = gst_element_link_filtered(source, *sink, caps) != 0;
    gst_caps_unref(caps);
    if (!linked) return Error{ErrorCode::kInternal, "the source's elements do not link"};
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    return {};
  }

  UniqueFd pictures_, transport_;
  std::unique_ptr<process::ChildProcess> process_;
  GstElement* pipeline_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<SourceEncoder>> MakeFfmpegEncoder(const SourceEncoder::Options& options) {
  auto encoder = std::make_unique<FfmpegEncoder>();
  if (const Status built = encoder->Build(options); !built) return built.error();
  return std::unique_ptr<SourceEncoder>(std::move(encoder));
}

}  // namespace framelock::bench
