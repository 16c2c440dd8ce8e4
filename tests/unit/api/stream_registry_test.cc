// SPDX-License-Identifier: Apache-2.0
#include "api/stream_registry.h"

#include <array>
#include <optional>

#include "tests/unit/api/stream_fixture.h"

namespace framelock::api {
namespace {

class RegistryTest : public StreamTest {};

TEST_F(RegistryTest, ADuplicateIsRefusedBeforeAnySideEffect) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    const Result<PromptVerdict> first = co_await registry.Start(Config("a"), "P");
    EXPECT_TRUE(first);
    const Result<PromptVerdict> second = co_await registry.Start(Config("a"), "P");
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(house.workers.workers.size(), 1u);
    const bool stopped = co_await registry.Stop("a");
    EXPECT_TRUE(stopped);
    const bool again = co_await registry.Stop("a");
    EXPECT_FALSE(again);
    EXPECT_TRUE(registry.streams().empty());
  });
}

TEST_F(RegistryTest, FullMeansRefused) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry::Options options;
    options.max_streams = 1;
    StreamRegistry registry(around, options);
    co_await registry.Start(Config("a"), "P");
    const Result<PromptVerdict> second = co_await registry.Start(Config("b"), "P");
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kResourceLimit);
    const std::size_t count = co_await registry.StopAll();
    EXPECT_EQ(count, 1u);
  });
}

TEST_F(RegistryTest, FailedStreamsStayToBeLookedAtButNotTooMany) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry::Options options;
    options.max_ended = 1;
    StreamRegistry registry(around, options);
    const std::array<const char*, 3> ids{"a", "b", "c"};
    for (const char* id : ids) {
      co_await registry.Start(Config(id), "P");
      house.media.processes.back()->Say({{"type", "ended"}, {"reason", "eos"}});
      const bool stopped = co_await Reaches(registry.Find(id), StreamState::kStopped);
      EXPECT_TRUE(stopped);
    }
    co_await registry.Start(Config("d"), "P");
    EXPECT_EQ(registry.Find("a"), nullptr);
    EXPECT_EQ(registry.Find("b"), nullptr);
    EXPECT_NE(registry.Find("c"), nullptr);
    const Result<PromptVerdict> again = co_await registry.Start(Config("c"), "P");
    EXPECT_TRUE(again);
    EXPECT_EQ(registry.active(), 2u);
    co_await registry.StopAll();
  });
}

TEST_F(RegistryTest, ARefusedStartLeavesTheRecordOfTheOneBefore) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    co_await registry.Start(Config("a"), "P");
    const std::shared_ptr<Stream> before = registry.Find("a");
    house.media.processes[0]->Say({{"type", "ended"}, {"reason", "eos"}});
    const bool stopped = co_await Reaches(before, StreamState::kStopped);
    EXPECT_TRUE(stopped);
    house.workers.judge = Reject;
    const Result<PromptVerdict> refused = co_await registry.Start(Config("a"), "BAD");
    EXPECT_TRUE(refused && !refused->applied);
    EXPECT_EQ(registry.Find("a"), before);
  });
}

TEST_F(RegistryTest, AStartThatIsStoppedLeavesNoRecord) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    co_await registry.Start(Config("a"), "P");
    const std::shared_ptr<Stream> before = registry.Find("a");
    house.media.processes[0]->Say({{"type", "ended"}, {"reason", "eos"}});
    const bool stopped = co_await Reaches(before, StreamState::kStopped);
    EXPECT_TRUE(stopped);
    house.workers.hang = true;
    bool answered = false;
    const auto start = [&]() -> net::Task<> {
      co_await registry.Start(Config("a"), "P");
      answered = true;
    };
    house.loop.Spawn(start());
    const bool begun = co_await Eventually([&] { return house.workers.workers.size() == 2; });
    EXPECT_TRUE(begun);
    const bool found = co_await registry.Stop("a");
    EXPECT_TRUE(found);
    const bool done = co_await Eventually([&] { return answered; });
    EXPECT_TRUE(done);
    EXPECT_EQ(registry.Find("a"), nullptr);
  });
}

TEST_F(RegistryTest, StopAllLeavesAStreamAloneThatWasStartedAfterIt) {
  house.limits.ladder.cooperative = house.limits.ladder.term = std::chrono::milliseconds(500);
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    house.media.ignore_stop = true;
    co_await registry.Start(Config("a"), "P");
    house.media.ignore_stop = false;
    co_await registry.Start(Config("b"), "P");
    std::size_t count = 0;
    const auto stop = [&]() -> net::Task<> { count = co_await registry.StopAll(); };
    house.loop.Spawn(stop());
    const bool ended = co_await Reaches(registry.Find("b"), StreamState::kStopped);
    EXPECT_TRUE(ended);
    EXPECT_EQ(count, 0u) << "a takes longer";
    const Result<PromptVerdict> again = co_await registry.Start(Config("b"), "P");
    EXPECT_TRUE(again);
    const bool all = co_await Eventually([&] { return count == 2; });
    EXPECT_TRUE(all);
    EXPECT_EQ(registry.Find("a"), nullptr);
    EXPECT_NE(registry.Find("b"), nullptr);
    EXPECT_EQ(registry.active(), 1u);
    co_await registry.StopAll();
  });
}

TEST_F(RegistryTest, ClosedItStopsStartsInFlightAndTakesNoMore) {
  house.workers.hang = true;
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    std::optional<Result<PromptVerdict>> in_flight;
    const auto start = [&]() -> net::Task<> {
      in_flight = co_await registry.Start(Config("a"), "P");
    };
    house.loop.Spawn(start());
    const bool begun = co_await Eventually([&] { return !house.workers.workers.empty(); });
    EXPECT_TRUE(begun);
    co_await registry.Close();
    EXPECT_EQ(registry.active(), 0u);
    const bool answered = co_await Eventually([&] { return in_flight.has_value(); });
    EXPECT_TRUE(answered && !*in_flight);
    const Result<PromptVerdict> late = co_await registry.Start(Config("b"), "P");
    EXPECT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(house.workers.workers.size(), 1u);
    EXPECT_TRUE(registry.streams().empty());
  });
}

TEST_F(RegistryTest, ConcurrentStopsAllAnswer) {
  Run([&](Stream::Surroundings& around) -> net::Task<> {
    StreamRegistry registry(around, {});
    co_await registry.Start(Config("a"), "P");
    int answers = 0;
    const auto stop = [&]() -> net::Task<> {
      const bool stopped = co_await registry.Stop("a");
      answers += stopped ? 1 : 0;
    };
    for (int i = 0; i < 5; ++i) house.loop.Spawn(stop());
    const bool all = co_await Eventually([&] { return answers == 5; });
    EXPECT_TRUE(all);
    EXPECT_TRUE(registry.streams().empty());
  });
}

}  // namespace
}  // namespace framelock::api
