// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/data_channel.h"

#include <gst/app/gstappsrc.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "pipeline/stream/elements.h"

namespace framelock::stream {

namespace {

constexpr guint64 kMaxSegments = 64;           // on their way to the sink, which never waits
constexpr guint64 kSinkQueueBytes = 2u << 20;  // some batches of the largest
constexpr guint kCloseTimeoutMs = 300;
constexpr guint kForEver = 0;

}  // namespace

DataChannel::DataChannel(const TextBatch::Options& options, SteadyTime now)
    : batch_(options, now),
      pipeline_(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new("texts")))),
      bus_(gst_element_get_bus(pipeline_.get())) {}

DataChannel::~DataChannel() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

Result<std::unique_ptr<DataChannel>> DataChannel::Open(const std::string& url,
                                                       const TextBatch::Options& options,
                                                       SteadyTime now) {
  std::unique_ptr<DataChannel> channel(new DataChannel(options, now));
  if (const Status built = channel->Build(url); !built) {
    return Error{built.error().code, "data_url: " + built.error().message};
  }
  return channel;
}

Status DataChannel::Build(const std::string& url) {
  GstBin* bin = GST_BIN(pipeline_.get());
  Result<GstElement*> source = AddElement(bin, "appsrc");
  if (!source) return source.error();
  source_ = *source;
  gst_object_set_name(GST_OBJECT(source_), "texts");
  g_object_set(source_, "is-live", TRUE, "format", GST_FORMAT_TIME, "max-buffers", kMaxSegments,
               "max-bytes", guint64{0}, "leaky-type", GST_APP_LEAKY_TYPE_DOWNSTREAM, nullptr);
  Result<GstElement*> sink = MakeSink(url);
  if (!sink) return sink.error();
  sink_ = *sink;
  if (Status added = AddTo(bin, sink_); !added) return added;
  g_object_set(sink_, "content-type", "application/jsonl", "queue-bytes", kSinkQueueBytes,
               "whole-segments", TRUE, "give-up-after", kForEver, "close-timeout", kCloseTimeoutMs,
               nullptr);
  if (gst_element_link(source_, sink_) == 0 ||
      gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    return Error{ErrorCode::kInternal, "the channel's pipeline does not start"};
  }
  return {};
}

void DataChannel::Add(std::string text) {
  if (failed_) {
    ++dropped_;
  } else {
    batch_.Add(std::move(text));
  }
}

void DataChannel::MoveOn(SteadyTime now) {
  if (failed_) return;
  LookForFailure();
  if (failed_) return;
  if (const std::optional<std::string> segment = batch_.Take(now)) Push(*segment);
}

SteadyTime DataChannel::NextDeadline() const {
  return failed_ ? SteadyTime::max() : batch_.NextDeadline();
}

void DataChannel::Push(const std::string& segment) {
  GstBuffer* buffer = gst_buffer_new_memdup(segment.data(), segment.size());
  // What it answers after a failure is on the bus as well.
  gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
}

void DataChannel::LookForFailure() {
  while (const MessagePtr message{gst_bus_pop(bus_.get())}) {
    if (failed_ || GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ERROR) continue;
    GError* details = nullptr;
    gst_message_parse_error(message.get(), &details, nullptr);
    spdlog::warn("data_url: no more texts are published: {}", details->message);
    g_error_free(details);
    failed_ = true;
    dropped_ += batch_.size();
    batch_.TakeAll();
  }
}

void DataChannel::Finish(std::chrono::milliseconds patience) {
  LookForFailure();
  if (failed_) return;
  if (const std::string rest = batch_.TakeAll(); !rest.empty()) Push(rest);
  gst_app_src_end_of_stream(GST_APP_SRC(source_));
  const auto longest = static_cast<GstClockTime>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(patience).count());
  const MessagePtr end(gst_bus_timed_pop_filtered(
      bus_.get(), longest, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  if (!end) spdlog::warn("data_url: the channel did not end in time");
}

nlohmann::json DataChannel::Stats() const { return ReadStats(sink_); }

}  // namespace framelock::stream
