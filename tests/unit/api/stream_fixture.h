// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "api/stream.h"
#include "tests/unit/api/fake_house.h"

namespace framelock::api {

inline stream::StreamConfig Config(const std::string& id) {
  stream::StreamConfig config;
  config.id = id;
  config.subscribe_url = "http://h/in";
  config.publish_url = "http://h/out";
  return config;
}

inline PromptUpdate Prompt(const std::string& text) {
  PromptUpdate update;
  update.text = text;
  return update;
}

// Waits, bounded, until the stream is in `state`.
inline net::Task<bool> Reaches(std::shared_ptr<Stream> stream, StreamState state) {
  co_return co_await Eventually([&] { return stream->state() == state; });
}

class StreamTest : public testing::Test {
 protected:
  void Run(std::function<net::Task<>(Stream::Surroundings&)> body) {
    Stream::Surroundings around = house.Around();
    house.Run([&] { return body(around); });
  }
  FakeHouse house;
};

}  // namespace framelock::api
