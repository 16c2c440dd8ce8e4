// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <glib.h>

#include <string>
#include <vector>

namespace framelock::testing {

/// Runs a program to its end; true if it exited with 0.
bool RunProgram(const std::vector<std::string>& arguments);

/// A program that says on its standard output's first line where it can be reached; ended by the
/// destructor.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] const std::string& first_line() const { return first_line_; }

 private:
  GPid pid_ = 0;
  gint output_ = -1;
  std::string first_line_;
};

}  // namespace framelock::testing
