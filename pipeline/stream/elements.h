// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gst/gst.h>

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/core/result.h"

namespace framelock::stream {

/// gst_init, and Framelock's plugin from `plugin_dir` (default: lib/gstreamer-1.0 beside the
/// program's bin directory) unless GST_PLUGIN_PATH has it already.
Status InitGStreamer(const std::optional<std::filesystem::path>& plugin_dir);

/// Loads the libraries of the elements that nearly every stream has, those of the decoder for 40 ms
/// and more; a process that is kept ready has that behind it when its stream starts.
void LoadLibraries();

/// The element that reads or writes a channel, chosen by the URL's scheme. Floating.
Result<GstElement*> MakeSource(const std::string& url);
Result<GstElement*> MakeSink(const std::string& url);

/// One element by name; kNotFound says which package's element is missing. Floating.
Result<GstElement*> MakeElement(const char* factory);

/// Hands a floating element to a bin; one that the bin refuses (its name is taken) is gone.
Status AddTo(GstBin* bin, GstElement* element);

/// MakeElement and AddTo in one. The bin owns what is returned.
Result<GstElement*> AddElement(GstBin* bin, const char* factory);

/// A chain of elements as a bin with ghost pads. Floating.
Result<GstElement*> MakeChain(const std::string& description);
/// The same of elements already made, which it takes; the first that could not be made is the
/// error. Floating.
Result<GstElement*> MakeRow(const std::vector<Result<GstElement*>>& elements);

/// An element's "stats" property as an object, '-' in names replaced by '_'; empty without one.
nlohmann::json ReadStats(GstElement* element);

/// Fields of any simple type; others are left out.
nlohmann::json ToJson(const GstStructure* structure);

}  // namespace framelock::stream
