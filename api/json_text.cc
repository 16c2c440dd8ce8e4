// SPDX-License-Identifier: Apache-2.0
#include "api/json_text.h"

#include <charconv>
#include <utility>
#include <vector>

namespace framelock::api {

namespace {

using nlohmann::json;

// Swallows every event; keeps why the parser stopped.
class SyntaxProbe final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    reason_ = e.what();
    return false;
  }

  // Without the library's own error number in front, and short.
  [[nodiscard]] std::string Reason() const {
    const std::size_t end = reason_.find("] ");
    return reason_.substr(end == std::string::npos ? 0 : end + 2, kMaxReasonBytes);
  }

 private:
  static constexpr std::size_t kMaxReasonBytes = 200;
  std::string reason_;
};

}  // namespace

Result<json> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (Status shape = CheckJsonShape(text, limits); !shape) return shape.error();
  json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_discarded()) return parsed;
  SyntaxProbe probe;
  json::sax_parse(text, &probe);
  return Error{ErrorCode::kInvalidArgument, probe.Reason()};
}

bool IsDeeperThan(const json& value, std::size_t max_depth) {
  std::vector<std::pair<const json*, std::size_t>> open{{&value, 0}};
  while (!open.empty()) {
    const auto [node, depth] = open.back();
    open.pop_back();
    if (!node->is_structured()) continue;
    if (depth + 1 > max_depth) return true;
    for (const json& child : *node) open.emplace_back(&child, depth + 1);
  }
  return false;
}

std::optional<std::int64_t> WholeNumber(const json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::string DumpJson(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace framelock::api
