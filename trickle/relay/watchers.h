// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <utility>

namespace framelock::relay {

/// Callbacks that want to hear of a change. A callback wakes somebody or sends: it must neither add
/// nor remove a watch. Loop thread only.
class Watchers {
 private:
  using Callbacks = std::list<std::function<void()>>;

 public:
  /// A callback's place; its end takes the callback out, also after the Watchers are gone.
  class Watch {
   public:
    Watch() = default;
    Watch(std::shared_ptr<Callbacks> callbacks, Callbacks::iterator place)
        : callbacks_(std::move(callbacks)), place_(place) {}
    Watch(Watch&& other) noexcept
        : callbacks_(std::exchange(other.callbacks_, nullptr)), place_(other.place_) {}
    Watch& operator=(Watch&& other) noexcept {
      std::swap(callbacks_, other.callbacks_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Watch() {
      if (callbacks_) callbacks_->erase(place_);
    }

   private:
    std::shared_ptr<Callbacks> callbacks_;
    Callbacks::iterator place_;
  };

  [[nodiscard]] Watch Add(std::function<void()> callback) {
    return {callbacks_, callbacks_->insert(callbacks_->end(), std::move(callback))};
  }
  void Notify() const {
    for (const auto& callback : *callbacks_) callback();
  }
  [[nodiscard]] std::size_t size() const { return callbacks_->size(); }

 private:
  std::shared_ptr<Callbacks> callbacks_ = std::make_shared<Callbacks>();
};

}  // namespace framelock::relay
