// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream/departures.h"

#include "pipeline/stream/running_time.h"

namespace framelock::stream {

void Departures::OnMade(Time frame) {
  const std::lock_guard lock(mutex_);
  made_ = frame;
}

void Departures::OnLeft(Time frame, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  left_ = frame;
  left_at_ = now;
  changed_.notify_all();
}

void Departures::Await() {
  std::unique_lock lock(mutex_);
  if (!made_) return;
  const Time last = *made_;
  changed_.wait_for(lock, options_.most,
                    [&] { return stopped_ || (left_ && *left_ + kSameFrame >= last); });
  changed_.wait_until(lock, left_at_ + options_.publish_lag, [this] { return stopped_; });
}

void Departures::Stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

void Departures::Watch(GstPad* made, GstPad* left) {
  gst_pad_add_probe(
      made, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* pad, GstPadProbeInfo* info, gpointer self) {
        const auto time = RunningTime(pad, GST_PAD_PROBE_INFO_BUFFER(info));
        if (time) static_cast<Departures*>(self)->OnMade(*time);
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
  gst_pad_add_probe(
      left, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad* pad, GstPadProbeInfo* info, gpointer self) {
        const auto time = RunningTime(pad, GST_PAD_PROBE_INFO_BUFFER(info));
        if (time) static_cast<Departures*>(self)->OnLeft(*time, Clock::System().Now());
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

}  // namespace framelock::stream
