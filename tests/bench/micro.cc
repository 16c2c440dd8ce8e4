// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/micro.h"

#include <benchmark/benchmark.h>

#include <map>
#include <utility>

#include "pipeline/core/frame_ledger.h"
#include "pipeline/net/request_parser.h"
#include "tests/bench/graph_micro.h"
#include "tests/support/ts_writer.h"
#include "trickle/relay/segment.h"
#include "trickle/relay/ts_cutter.h"
#include "workers/host/frame_region.h"
#include "workers/protocol/message_codec.h"

namespace framelock::bench {
namespace {

constexpr std::size_t kPieceBytes = 8 * 1024;

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void LedgerOpenClose(benchmark::State& state) {
  FrameLedger<std::int64_t> ledger;
  for (auto _ : state) {
    const auto sequence = ledger.Open(1);
    benchmark::DoNotOptimize(ledger.Find(sequence));
    benchmark::DoNotOptimize(ledger.Close(sequence, Outcome::kCompleted));
  }
}

void MessageEncodeDecode(benchmark::State& state) {
  protocol::Completed message;
  for (auto _ : state) {
    ++message.sequence;
    auto decoded = protocol::Decode<protocol::Completed>(protocol::Encode(message));
    benchmark::DoNotOptimize(decoded);
  }
}

void RequestHead(benchmark::State& state) {
  const std::string head =
      "GET /demo-out/1234 HTTP/1.1\r\nHost: 127.0.0.1:8470\r\nUser-Agent: curl/7.88.1\r\n"
      "Accept: */*\r\nConnection: keep-alive\r\n\r\n";
  for (auto _ : state) {
    net::RequestParser parser(32 * 1024);
    parser.FeedHead(Bytes(head));
    if (!parser.head_done() || parser.rejection()) state.SkipWithError("the head is refused");
    auto request = parser.TakeRequest();
    benchmark::DoNotOptimize(request);
  }
}

void RequestChunk(benchmark::State& state) {
  const std::string head =
      "POST /demo/1 HTTP/1.1\r\nHost: 127.0.0.1:8470\r\nTransfer-Encoding: chunked\r\n\r\n";
  // The end of a chunk is taken together with the size of the next.
  const std::string chunk = "2000\r\n" + std::string(kPieceBytes, 'x');
  const std::string next_chunk = "\r\n" + chunk;
  net::RequestParser parser(32 * 1024);
  parser.FeedHead(Bytes(head));
  std::vector<std::byte> out(4 * kPieceBytes);
  std::string_view input = chunk;
  for (auto _ : state) {
    std::size_t produced = 0;
    for (auto rest = Bytes(std::exchange(input, next_chunk)); !rest.empty();) {
      const auto fed = parser.FeedBody(rest, out);
      if (!fed.ok() || fed->consumed == 0) break;
      produced += fed->produced;
      rest = rest.subspan(fed->consumed);
    }
    if (produced != kPieceBytes) state.SkipWithError("a chunk lost bytes");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kPieceBytes));
}

// A segment of 64 pieces, read by one reader as it grows.
void SegmentAppendRead(benchmark::State& state) {
  constexpr int kPieces = 64;
  const std::string piece(kPieceBytes, 'x');
  const auto budget = std::make_shared<relay::ByteBudget>(std::size_t{1} << 30);
  std::unique_ptr<relay::Segment> segment;
  relay::Segment::Cursor cursor;
  for (auto _ : state) {
    if (!segment || segment->size() == kPieces * kPieceBytes) {
      segment = std::make_unique<relay::Segment>(0, std::size_t{16} << 20, budget);
      cursor = {};
    }
    if (segment->Append(Bytes(piece)) != relay::AppendStatus::kAppended) {
      state.SkipWithError("the segment is full");
    }
    std::size_t seen = 0;
    for (auto next = segment->Next(cursor); !next.empty(); next = segment->Next(cursor)) {
      seen += next.size();
    }
    if (seen != kPieceBytes) state.SkipWithError("the reader lost bytes");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kPieceBytes));
}

// A second of video at 30 fps, one keyframe, 40 packets a picture.
void CutTransportStream(benchmark::State& state) {
  test::TsWriter writer;
  std::string second = writer.Pat() + writer.Pmt();
  for (std::uint64_t i = 0; i < 30; ++i) {
    second += i == 0 ? writer.Key(0) : writer.Delta(i * 3000);
    for (int packet = 0; packet < 39; ++packet) second += writer.More();
  }
  relay::TsCutter cutter({});
  for (auto _ : state) {
    std::size_t cut = 0;
    for (const auto& piece : cutter.Push(Bytes(second))) cut += piece.bytes.size();
    if (cut == 0) state.SkipWithError("nothing came out");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(second.size()));
}

void SlotCycle(benchmark::State& state) {
  const auto region = host::FrameRegion::Create({.width = 512, .height = 512});
  if (!region) return state.SkipWithError(region.error().message.c_str());
  for (auto _ : state) {
    const auto input = (*region)->AcquireInput();
    const auto output = (*region)->AcquireOutput();
    const bool fine = input && output && (*region)->MarkSubmitted(*input, *output).ok() &&
                      (*region)->MarkDone(*input, *output).ok() &&
                      (*region)->ReleaseInput(*input).ok() &&
                      (*region)->ReleaseOutput(*output).ok();
    if (!fine) state.SkipWithError("a slot is not where it should be");
  }
}

// Takes the repetitions in place of a console.
class RowReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::string name = run.run_name.function_name;
      if (run.error_occurred) {
        failure = name + ": " + run.error_message;
      } else if (run.run_type == Run::RT_Iteration) {
        nanoseconds[name].push_back(run.GetAdjustedCPUTime());
      }
    }
  }
  std::map<std::string, std::vector<double>> nanoseconds;
  std::string failure;
};

}  // namespace

Status RunMicro(const RunOptions& options, Report& report) {
  struct Case {
    const char* name;
    void (*run)(benchmark::State&);
  };
  const double seconds =
      std::chrono::duration<double>(options.RunTime(std::chrono::milliseconds(500))).count() / 10;
  benchmark::ClearRegisteredBenchmarks();
  for (const Case& one :
       {Case{"ledger: open, find, close", LedgerOpenClose},
        Case{"worker message: encode, decode", MessageEncodeDecode},
        Case{"graph: 50 trivial nodes", GraphOfTrivialNodes},
        Case{"graph: 50 cached nodes, 1 blend", GraphOfCachedNodes},
        Case{"HTTP request head", RequestHead}, Case{"HTTP chunk of 8 KiB", RequestChunk},
        Case{"relay segment: append, read 8 KiB", SegmentAppendRead},
        Case{"TS cutter: 1 s of video, 225 KB", CutTransportStream},
        Case{"frame slots: one frame's way", SlotCycle}}) {
    benchmark::RegisterBenchmark(one.name, one.run)->Repetitions(options.Pairs())->MinTime(seconds);
  }
  RowReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  if (!reporter.failure.empty()) return Error{ErrorCode::kInternal, reporter.failure};
  for (auto& [name, values] : reporter.nanoseconds) {
    report.Add(Row{.scenario = name, .metric = "CPU time", .unit = "ns", .values = values});
  }
  return {};
}

}  // namespace framelock::bench
