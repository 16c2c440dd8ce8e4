// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include "pipeline/core/result.h"

namespace framelock::plugins {

/// Posts `error` as an element error of the RESOURCE domain: NOT_FOUND, or else READ (of a source)
/// or WRITE (of a sink). Once a failure; the caller then returns GST_FLOW_ERROR or FALSE.
void PostReadError(GstElement* element, const Error& error);
void PostWriteError(GstElement* element, const Error& error);

}  // namespace framelock::plugins
