// SPDX-License-Identifier: Apache-2.0
#include "pipeline/core/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <memory>
#include <string_view>

namespace framelock {

namespace {

void AppendJsonEscaped(std::string_view text, spdlog::memory_buf_t& out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      const std::array<char, 6> escaped{'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
      out.append(escaped.data(), escaped.data() + escaped.size());
    } else {
      out.push_back(c);
    }
  }
}

// The message itself: cut at the bound, control characters made visible, escaped for JSON if asked.
class MessageFlag final : public spdlog::custom_flag_formatter {
 public:
  explicit MessageFlag(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& out) override {
    std::string_view text(msg.payload.data(), msg.payload.size());
    text = text.substr(0, kMaxLogLineBytes);
    if (json_) {
      AppendJsonEscaped(text, out);
      return;
    }
    for (const char c : text) out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  }

  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<MessageFlag>(json_);
  }

 private:
  bool json_;
};

}  // namespace

Status InitLog(const LogOptions& options) {
  const auto level = spdlog::level::from_str(options.level == "warning" ? "warn" : options.level);
  if (level == spdlog::level::off && options.level != "off") {
    return Error{
        ErrorCode::kInvalidArgument,
        "log level \"" + options.level + "\" is none of trace, debug, info, warn, error, off"};
  }
  auto logger = std::make_shared<spdlog::logger>(options.program,
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<MessageFlag>('*', options.json);
  formatter->set_pattern(
      options.json
          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","program":"%n","pid":%P,"message":"%*"})"
          : "%H:%M:%S.%e %-5l %n[%P] %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace framelock
