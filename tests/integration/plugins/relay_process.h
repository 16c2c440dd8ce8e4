// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

#include <string>

namespace framelock::testing {

/// The shipped framelock-relay on a port of its own choice; ended by the destructor.
class RelayProcess {
 public:
  RelayProcess();
  ~RelayProcess();

  /// "http://127.0.0.1:4711/"
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string websocket_url() const { return "ws" + url_.substr(4) + "ws/"; }

 private:
  GPid pid_ = 0;
  gint output_ = -1;
  std::string url_;
};

}  // namespace framelock::testing
