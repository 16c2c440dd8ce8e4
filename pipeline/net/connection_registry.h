// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <utility>

namespace framelock::net {

/// The open connections of one server: their number, and how to close them. Shared by the server
/// and its connections, which outlive it by a turn of the loop. Loop thread only.
class ConnectionRegistry : public std::enable_shared_from_this<ConnectionRegistry> {
 public:
  struct Entry {
    std::function<void()> close;          // drops the connection now
    std::function<void()> close_if_idle;  // drops it unless a request is open
  };

  /// A connection's place in the registry, given up by the ticket's end.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(std::shared_ptr<ConnectionRegistry> registry, std::list<Entry>::iterator place)
        : registry_(std::move(registry)), place_(place) {}
    Ticket(Ticket&& other) noexcept
        : registry_(std::exchange(other.registry_, nullptr)), place_(other.place_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(registry_, other.registry_);
      std::swap(place_, other.place_);
      return *this;
    }
    ~Ticket() {
      if (registry_) registry_->entries_.erase(place_);
    }
    /// A connection that changes its protocol is closed in another way from then on.
    void Replace(Entry entry) { *place_ = std::move(entry); }

   private:
    std::shared_ptr<ConnectionRegistry> registry_;
    std::list<Entry>::iterator place_;
  };

  Ticket Add(Entry entry) {
    return {shared_from_this(), entries_.insert(entries_.end(), std::move(entry))};
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// False once the server stopped accepting: the connections close after their open request.
  [[nodiscard]] bool accepting() const { return accepting_; }

  void StopAccepting() {
    accepting_ = false;
    for (const Entry& entry : entries_) entry.close_if_idle();
  }
  void CloseAll() {
    accepting_ = false;
    for (const Entry& entry : entries_) entry.close();
  }

 private:
  std::list<Entry> entries_;
  bool accepting_ = true;
};

}  // namespace framelock::net
