// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace framelock::graph {

namespace {

constexpr const char* kNonFiniteKey = "__nonfinite__";

struct Word {
  std::string_view bare;
  std::string_view wrapped;
  double value;
};
constexpr std::array<Word, 3> kWords{{
    {"-Infinity", "-inf", -std::numeric_limits<double>::infinity()},
    {"Infinity", "inf", std::numeric_limits<double>::infinity()},
    {"NaN", "nan", std::numeric_limits<double>::quiet_NaN()},
}};

std::string Quoted(const std::string& key) {
  constexpr std::size_t kLongest = 100;
  std::string quoted = "'";
  quoted += key.substr(0, kLongest);
  return quoted += key.size() > kLongest ? "...'" : "'";
}

// Walks the text without building anything, so that a hostile one costs no memory.
class BoundsCheck {
 public:
  explicit BoundsCheck(const PromptLimits& limits) : limits_(limits) {}

  // NOLINTBEGIN: names and signatures are the parser's
  bool null() { return Item(); }
  bool boolean(bool) { return Item(); }
  bool number_integer(std::int64_t) { return Item(); }
  bool number_unsigned(std::uint64_t) { return Item(); }
  bool number_float(double, const std::string&) { return Item(); }
  bool string(std::string&) { return Item(); }
  bool binary(Json::binary_t&) { return Item(); }
  bool start_object(std::size_t) { return Item() && Open(Level::kObject); }
  bool start_array(std::size_t) { return Item() && Open(Level::kArray); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(std::string& name) {
    Level& level = levels_.back();
    const std::size_t most = levels_.size() == 1 ? limits_.max_nodes : limits_.max_members;
    if (level.keys.size() >= most) {
      return Fail("more than " + std::to_string(most) + " members in one object");
    }
    return level.keys.insert(name).second || Fail("the key " + Quoted(name) + " occurs twice");
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception&) {
    return Fail("not valid JSON at byte " + std::to_string(position) +
                (token.empty() ? "" : ", near " + Quoted(token)));
  }
  // NOLINTEND

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  struct Level {
    enum Kind { kObject, kArray } kind;
    std::size_t items = 0;
    std::unordered_set<std::string> keys;
  };

  bool Fail(std::string text) {
    error_ = std::move(text);
    return false;
  }
  bool Item() {
    if (levels_.empty() || levels_.back().kind == Level::kObject) {
      return true;
    }
    return ++levels_.back().items <= limits_.max_array_items ||
           Fail("more than " + std::to_string(limits_.max_array_items) + " items in one array");
  }
  bool Open(Level::Kind kind) {
    if (levels_.size() >= limits_.max_depth) {
      return Fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    levels_.push_back({kind, 0, {}});
    return true;
  }
  bool Close() {
    levels_.pop_back();
    return true;
  }

  const PromptLimits& limits_;
  std::vector<Level> levels_;
  std::string error_;
};

// Bare words outside strings become their wrapped form.
std::string WrapBareWords(std::string_view text) {
  std::string wrapped;
  wrapped.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (!in_string) {
      const auto* word = std::find_if(kWords.begin(), kWords.end(), [&](const Word& candidate) {
        return text.substr(i).starts_with(candidate.bare);
      });
      if (word != kWords.end()) {
        wrapped +=
            std::string("{\"") + kNonFiniteKey + "\":\"" + std::string(word->wrapped) + "\"}";
        i += word->bare.size();
        continue;
      }
    }
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      wrapped += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    }
    wrapped += text[i++];
  }
  return wrapped;
}

// Depth is bounded by the check before.
void Unwrap(Json& value) {
  if (value.is_object() && value.size() == 1 && value.begin().key() == kNonFiniteKey) {
    for (const Word& word : kWords) {
      if (value.front() == word.wrapped) {
        value = word.value;
        return;
      }
    }
  }
  if (value.is_structured()) {
    for (Json& item : value) {
      Unwrap(item);
    }
  }
}

void Wrap(Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    const double number = value.get<double>();
    value = Json{{kNonFiniteKey, std::isnan(number) ? "nan" : (number > 0 ? "inf" : "-inf")}};
    return;
  }
  if (value.is_structured()) {
    for (Json& item : value) {
      Wrap(item);
    }
  }
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const PromptLimits& limits, NonFinite nonfinite) {
  if (text.size() > limits.max_bytes) {
    return Error{ErrorCode::kResourceLimit, "longer than " + std::to_string(limits.max_bytes) +
                                                " bytes (" + std::to_string(text.size()) + ")"};
  }
  std::string wrapped;
  if (nonfinite == NonFinite::kAccept) {
    wrapped = WrapBareWords(text);
    text = wrapped;
  }
  BoundsCheck check(limits);
  if (!Json::sax_parse(text, &check)) {
    return Error{ErrorCode::kInvalidArgument, check.error()};
  }
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    return Error{ErrorCode::kInvalidArgument, "not valid JSON"};
  }
  if (nonfinite == NonFinite::kAccept) {
    Unwrap(value);
  }
  return value;
}

std::string DumpJson(const Json& value) {
  Json wrapped = value;
  Wrap(wrapped);
  return wrapped.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace framelock::graph
