// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "plugins/size_wish.h"
#include "workers/host/worker_client.h"

namespace framelock::plugins {

/// What a worker is asked to go on with.
struct PromptOffer {
  std::string text;
  std::optional<FrameSize> size{};        // unset: as before
  std::optional<std::string> settings{};  // of the worker, a JSON object; unset: as before
};

/// Which prompt the worker at hand should run, and what became of the one offered last. A fresh
/// worker is given the current prompt; an offered one becomes current only when it is applied, and
/// one that is rejected changes nothing. Plain logic; the owner sends, receives and locks.
class PromptExchange {
 public:
  struct Sending {
    std::uint64_t revision;
    std::string text;
    std::string settings;
  };
  struct Answer {
    enum class Kind : std::uint8_t { kApplied, kRejected } kind;
    std::uint64_t revision;
    std::string errors;  // JSON; empty if applied
  };
  /// Whose prompt was rejected: the caller's is his affair, without the current one nothing runs.
  enum class Rejected : std::uint8_t { kOffered, kCurrent };

  explicit PromptExchange(std::string current) : current_(std::move(current)) {}

  /// A worker sat down; it may bring a prompt of its own (revision 0: it has none).
  void OnWelcomed(std::uint64_t revision) {
    worker_ = true;
    running_ = revision;
    if (revision != 0) acknowledged_ = revision;
    last_ = std::max(last_, revision);
  }

  /// What to send now, if anything. It counts as sent.
  std::optional<Sending> NextToSend() {
    if (!worker_ || sent_) return std::nullopt;
    if (running_ == 0) {
      sent_ = Sent{Rejected::kCurrent,
                   false,
                   {std::max<std::uint64_t>(acknowledged_, 1), current_, settings_},
                   {}};
    } else if (offered_) {
      sent_ = Sent{
          Rejected::kOffered,
          true,
          {last_ + 1, std::move(offered_->text), std::move(offered_->settings).value_or(settings_)},
          offered_->size};
      offered_.reset();
    } else {
      return std::nullopt;
    }
    last_ = std::max(last_, sent_->prompt.revision);
    return sent_->prompt;
  }

  /// Gives the size that frames are to have from now on, if one came with the prompt.
  std::optional<FrameSize> OnApplied(std::uint64_t revision) {
    running_ = acknowledged_ = revision;
    if (!sent_) return std::nullopt;
    const std::optional<FrameSize> size = sent_->size;
    current_ = std::move(sent_->prompt.text);
    settings_ = std::move(sent_->prompt.settings);
    if (sent_->awaited) answer_ = {Answer::Kind::kApplied, revision, {}};
    sent_.reset();
    return size;
  }

  Rejected OnRejected(std::string errors) {
    const Rejected whose = sent_ ? sent_->whose : Rejected::kOffered;
    const bool awaited = sent_ && sent_->awaited;
    sent_.reset();
    if (awaited) {
      answer_ = {Answer::Kind::kRejected, acknowledged_, std::move(errors)};
    }
    return whose;
  }

  /// The worker is gone. What it was asked to apply is not tried on the next one: it may be what
  /// killed it. `errors` is the answer then.
  void OnLost(std::string errors) {
    if (sent_ && sent_->whose == Rejected::kOffered) OnRejected(std::move(errors));
    worker_ = false;
    running_ = 0;
    sent_.reset();
  }

  /// Offers a new prompt; the answer() to an earlier one is forgotten.
  void Offer(PromptOffer offer) {
    offered_ = std::move(offer);
    answer_.reset();
  }
  /// Takes back what was not sent yet. What was sent may still be applied, but nobody waits for
  /// its answer any more.
  void Withdraw() {
    if (sent_) sent_->awaited = false;
    offered_.reset();
    answer_.reset();
  }
  [[nodiscard]] const std::optional<Answer>& answer() const { return answer_; }

  /// True if the worker at hand runs a prompt.
  [[nodiscard]] bool running() const { return worker_ && running_ != 0; }
  [[nodiscard]] std::uint64_t revision() const { return acknowledged_; }
  [[nodiscard]] const std::string& current() const { return current_; }

 private:
  struct Sent {
    Rejected whose;
    bool awaited;  // its answer is the caller's
    Sending prompt;
    std::optional<FrameSize> size;
  };
  std::string current_;
  std::string settings_{host::kNoSettings};  // of the current prompt
  std::optional<PromptOffer> offered_;
  std::optional<Sent> sent_;
  std::optional<Answer> answer_;
  bool worker_ = false;
  std::uint64_t running_ = 0;       // revision that the worker at hand runs
  std::uint64_t acknowledged_ = 0;  // of the current prompt
  std::uint64_t last_ = 0;          // highest revision ever used
};

}  // namespace framelock::plugins
