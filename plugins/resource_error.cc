// SPDX-License-Identifier: Apache-2.0
#include "plugins/resource_error.h"

#include <string>

namespace framelock::plugins {
namespace {

void Post(GstElement* element, gint code, const Error& error) {
  gchar* debug = g_strdup_printf("error code: %s", ErrorCodeName(error.code));
  gst_element_message_full(element, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, code,
                           g_strdup(error.message.c_str()), debug, __FILE__, __func__, __LINE__);
}

}  // namespace

void PostReadError(GstElement* element, const Error& error) {
  Post(element,
       error.code == ErrorCode::kNotFound ? GST_RESOURCE_ERROR_NOT_FOUND : GST_RESOURCE_ERROR_READ,
       error);
}

void PostWriteError(GstElement* element, const Error& error) {
  Post(element,
       error.code == ErrorCode::kNotFound ? GST_RESOURCE_ERROR_NOT_FOUND : GST_RESOURCE_ERROR_WRITE,
       error);
}

}  // namespace framelock::plugins
