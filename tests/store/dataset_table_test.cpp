// The table of a Dataset file from hostile hands: every size and place in it is checked before it is used.
#include "analysis/store/dataset_table.h"

#include <gtest/gtest.h>

#include <string>

#include "analysis/core/error.h"

namespace varve::h5 {
namespace {

constexpr const char* words = R"("title":"","notes":"","provenance":"","checks":"","events":"")";

// Eight bytes of values and a table with that one array.
std::string body_of(const std::string& array, std::string& table) {
  table = std::string(R"({"arrays":[)") + array + "]," + words + "}";
  return std::string("\0\0\x80\x3f\0\0\0\x40", 8) + table;
}

Dataset read(const std::string& array) {
  std::string table;
  const std::string body = body_of(array, table);
  return read_table(body, static_cast<int64_t>(table.size()), "x.h5");
}

std::string floats(const std::string& shape, const std::string& offset) {
  return R"({"name":"a","axes":["x"],"dtype":"f32","role":"values","shape":[)" + shape + R"(],"offset":)" +
         offset + "}";
}

TEST(DatasetTable, FindsItsValuesInFrontOfIt) {
  const Dataset data = read(floats("2", "0"));
  EXPECT_EQ(data["a"].as<float>()[0], 1.0f);
  EXPECT_EQ(data["a"].as<float>()[1], 2.0f);
}

TEST(DatasetTable, TrustsNoSizeAndNoPlace) {
  for (const char* shape :
       {"3", "-1", "1e300", "9223372036854775807", "18446744073709551615", "null", "\"2\""})
    EXPECT_THROW(read(floats(shape, "0")), Error) << shape;
  for (const char* offset : {"1", "8", "-4", "9223372036854775807", "18446744073709551615", "0.5", "{}"})
    EXPECT_THROW(read(floats("2", offset)), Error) << offset;
  EXPECT_THROW(read(floats("4294967296,4294967296", "0")), Error);
}

TEST(DatasetTable, RefusesWhatDoesNotFitTogether) {
  const auto texts = [](const std::string& more) {
    return R"({"name":"a","axes":["x"],"dtype":"text","role":"values",)" + more + "}";
  };
  EXPECT_EQ(read(texts(R"("shape":[1],"texts":["b"])"))["a"].as<std::string>()[0], "b");
  EXPECT_THROW(read(texts(R"("shape":[2],"texts":["b"])")), Error);
  EXPECT_THROW(read(texts(R"("shape":[1],"texts":[7])")), Error);
  EXPECT_THROW(read(texts(R"("shape":[1],"texts":["\\x"],"escaped":true)")), Error);
  EXPECT_THROW(read(R"({"name":"a","axes":[],"dtype":"c64","role":"values","shape":[],"offset":0})"), Error);
  EXPECT_THROW(read(R"({"name":"a"})"), Error);
  EXPECT_THROW(read("7"), Error);
}

TEST(DatasetTable, MustLieInsideTheBody) {
  std::string table;
  const std::string body = body_of(floats("2", "0"), table);
  for (const int64_t bytes : {int64_t{-1}, int64_t{0}, int64_t{1}, static_cast<int64_t>(body.size()),
                              static_cast<int64_t>(body.size()) + 1, INT64_MAX})
    EXPECT_THROW(read_table(body, bytes, "x.h5"), Error) << bytes;
}

}  // namespace
}  // namespace varve::h5
