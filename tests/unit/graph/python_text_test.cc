// SPDX-License-Identifier: Apache-2.0
#include "workers/graph/python_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace framelock::graph {
namespace {

TEST(PythonTextTest, Repr) {
  const std::vector<std::pair<Json, const char*>> cases{
      {Json(), "None"},
      {true, "True"},
      {-3, "-3"},
      {std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"},
      {1.0, "1.0"},
      {0.1, "0.1"},
      {-0.0, "-0.0"},
      {1e-4, "0.0001"},
      {1e-5, "1e-05"},
      {1.5e300, "1.5e+300"},
      {1e15, "1000000000000000.0"},
      {1e16, "1e+16"},
      {INFINITY, "inf"},
      {-INFINITY, "-inf"},
      {NAN, "nan"},
      {"it's", "\"it's\""},
      {"a'\"b", R"('a\'"b')"},
      {"\n\t\x01", R"('\n\t\x01')"},
      {"ü", "'ü'"},
      {Json::array({"a", 1}), "['a', 1]"},
      {Json{{"a", Json::array()}, {"b", Json::object()}}, "{'a': [], 'b': {}}"},
  };
  for (const auto& [value, repr] : cases) {
    EXPECT_EQ(PythonRepr(value), repr);
  }
  EXPECT_EQ(PythonStr("a'b"), "a'b");
}

TEST(PythonTextTest, IntTakesWhatPythonTakes) {
  const std::vector<std::pair<Json, Json>> cases{
      {" +5\n", 5},
      {"-0_1", -1},
      {3.99, 3},
      {-3.99, -3},
      {true, 1},
      {"007", 7},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      // Beyond 64 bits they are beyond every bound of an input, and no INT.
      {1e300, 1e300},
      {-1e300, -1e300},
      {"99999999999999999999", 1e20},
      {"-9223372036854775809", -0x1p63},
  };
  for (const auto& [value, expected] : cases) {
    const Converted converted = PythonInt(value);
    EXPECT_TRUE(converted.ok()) << value << converted.exception;
    EXPECT_EQ(converted.value, expected) << value;
  }
  for (const Json& value : {Json(""), Json("-"), Json("1 2"), Json("1__0"), Json("_1"), Json("1_"),
                            Json("0x10"), Json("1.0"), Json(), Json::array(), Json(INFINITY)}) {
    EXPECT_FALSE(PythonInt(value).ok()) << value;
  }
}

TEST(PythonTextTest, FloatTakesWhatPythonTakes) {
  const std::vector<std::pair<Json, double>> cases{
      {" 1_0.5e1 ", 105.0}, {"+.5", 0.5}, {"5.", 5.0},       {"-Infinity", -INFINITY},
      {"1e999", INFINITY},  {true, 1.0},  {"-1e-999", -0.0}, {7, 7.0},
  };
  for (const auto& [value, expected] : cases) {
    const Converted converted = PythonFloat(value);
    EXPECT_TRUE(converted.ok()) << value << converted.exception;
    EXPECT_EQ(converted.value.get<double>(), expected) << value;
  }
  EXPECT_TRUE(std::isnan(PythonFloat("NaN").value.get<double>()));
  for (const Json& value : {Json(""), Json("--1"), Json("0x1p3"), Json("nan(1)"), Json("1e"),
                            Json("1_.5"), Json("+-1"), Json(), Json::object()}) {
    EXPECT_FALSE(PythonFloat(value).ok()) << value;
  }
}

TEST(PythonTextTest, Truth) {
  for (const Json& value : {Json(false), Json(0), Json(0.0), Json(""), Json(), Json::object()}) {
    EXPECT_FALSE(PythonTruth(value)) << value;
  }
  for (const Json& value : {Json(true), Json(-1), Json(NAN), Json("false"), Json::array({0})}) {
    EXPECT_TRUE(PythonTruth(value)) << value;
  }
}

}  // namespace
}  // namespace framelock::graph
