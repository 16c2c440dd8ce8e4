// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <vector>

#include "workers/host/worker_process.h"

namespace framelock::host {

namespace {

// One pass over the text; a word exists from its first character or quote on, so that '' is one.
class Splitter {
 public:
  explicit Splitter(const std::string& text) : text_(text) {}

  Result<std::vector<std::string>> Split() {
    for (at_ = 0; at_ < text_.size(); ++at_) {
      if (auto step = Step(text_[at_]); !step) return step.error();
    }
    if (word_) words_.push_back(std::move(*word_));
    if (words_.empty()) return Error{ErrorCode::kInvalidArgument, "the command line is empty"};
    return std::move(words_);
  }

 private:
  Status Step(char c) {
    if (c == ' ' || c == '\t' || c == '\n') {
      if (word_) words_.push_back(std::move(*word_));
      word_.reset();
      return {};
    }
    if (!word_) word_.emplace();
    if (c == '\'') return Quoted('\'');
    if (c == '"') return Quoted('"');
    if (c == '\\') return Escaped();
    word_->push_back(c);
    return {};
  }

  Status Quoted(char quote) {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) return {};
      // Within double quotes a backslash only protects itself and the quote.
      const bool escape = c == '\\' && quote == '"' && at_ + 1 < text_.size() &&
                          (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      word_->push_back(text_[at_]);
    }
    return Error{ErrorCode::kInvalidArgument,
                 std::string("the command line ends within ") + quote + " quotes"};
  }

  Status Escaped() {
    if (++at_ >= text_.size()) {
      return Error{ErrorCode::kInvalidArgument, "the command line ends with a backslash"};
    }
    word_->push_back(text_[at_]);
    return {};
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::optional<std::string> word_;
  std::vector<std::string> words_;
};

}  // namespace

Result<std::vector<std::string>> SplitCommandLine(const std::string& text) {
  return Splitter(text).Split();
}

}  // namespace framelock::host
