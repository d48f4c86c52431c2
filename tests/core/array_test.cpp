// Arrays: what is refused, how they slice and stack, and when they are the same.
#include "analysis/core/array.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

// 0 .. 23 as [2, 3, 4].
Array counted() {
  std::vector<double> values(24);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  return Array({"layer", "head", "pos"}, {2, 3, 4}, std::move(values));
}

TEST(Array, RefusesAShapeThatDoesNotFitItsValues) {
  EXPECT_THROW(Array({"pos"}, {3}, std::vector<float>{1, 2}), Error);
}

TEST(Array, RefusesMoreAxesThanExtents) {
  EXPECT_THROW(Array({"pos", "head"}, {2}, std::vector<float>{1, 2}), Error);
}

TEST(Array, RefusesAnAxisTwice) {
  EXPECT_THROW(Array({"pos", "pos"}, {1, 2}, std::vector<float>{1, 2}), Error);
}

TEST(Array, RefusesNegativeExtentsEvenWhereTheirProductFits) {
  EXPECT_THROW(Array({"a", "b"}, {-1, -2}, std::vector<float>{1, 2}), Error);
}

TEST(Array, RefusesAShapeWhoseProductOverflows) {
  const int64_t huge = int64_t{1} << 32;
  EXPECT_THROW(Array::empty(Dtype::u8, {"a", "b"}, {huge, huge}), Error);
}

TEST(Array, AnExtentOfZeroHoldsNothing) {
  const int64_t huge = int64_t{1} << 62;
  EXPECT_EQ(Array::empty(Dtype::f32, {"a", "b", "c"}, {huge, huge, 0}).size(), 0);
}

TEST(Array, EmptyMeansMissing) {
  EXPECT_TRUE(std::isnan(Array::empty(Dtype::f32, {"a"}, {2}).number(1)));
  EXPECT_TRUE(std::isnan(Array::empty(Dtype::f64, {"a"}, {2}).number(1)));
  EXPECT_EQ(Array::empty(Dtype::i64, {"a"}, {2}).number(1), 0);
  EXPECT_EQ(Array::empty(Dtype::text, {"a"}, {2}).text(1), "");
}

TEST(Array, AScalarHasNoAxesAndOneValue) {
  const Array scalar = Array::scalar(2.5);
  EXPECT_EQ(scalar.size(), 1);
  EXPECT_TRUE(scalar.axes().empty());
  EXPECT_EQ(scalar.number(0), 2.5);
}

TEST(Array, IndexesRowMajor) {
  const Array array = counted();
  EXPECT_EQ(array.flat(std::vector<int64_t>{1, 2, 3}), 23);
  EXPECT_EQ(array.flat(std::vector<int64_t>{0, 1, 0}), 4);
  EXPECT_THROW(array.flat(std::vector<int64_t>{0, 3, 0}), Error);
  EXPECT_THROW(array.flat(std::vector<int64_t>{0, 1}), Error);
}

TEST(Array, ASliceAlongEachAxisKeepsTheOthers) {
  const Array array = counted();
  for (const std::string axis : {"layer", "head", "pos"}) {
    const Array slice = array.at(axis, 1);
    EXPECT_FALSE(slice.axis(axis));
    EXPECT_EQ(slice.size(), array.size() / array.extent(axis));
  }
  EXPECT_EQ(array.at("head", 2).number(0), 8);
  EXPECT_EQ(array.at("head", 2).number(7), 23);
  EXPECT_EQ(array.at("pos", 3).number(0), 3);
}

TEST(Array, ASliceOutsideTheAxisIsRefused) {
  EXPECT_THROW(counted().at("pos", 4), Error);
  EXPECT_THROW(counted().at("pos", -1), Error);
  EXPECT_THROW(counted().at("vocab", 0), Error);
}

TEST(Array, SlicesStackedAgainAreTheArray) {
  const Array array = counted();
  const std::vector<Array> parts = {array.at("layer", 0), array.at("layer", 1)};
  EXPECT_TRUE(Array::stack("layer", parts).same_values(array));
}

TEST(Array, OnlyAlikeArraysStack) {
  const std::vector<Array> unlike = {Array::scalar(1), Array::empty(Dtype::f32, {}, {})};
  EXPECT_THROW(Array::stack("step", unlike), Error);
  EXPECT_THROW(Array::stack("step", {}), Error);
  const std::vector<Array> taken = {counted(), counted()};
  EXPECT_THROW(Array::stack("pos", taken), Error);
}

TEST(Array, SlicesAndStacksKeepUnitAndTitle) {
  Array array = counted();
  array.unit = "nats";
  array.title = "loss";
  const std::vector<Array> parts = {array.at("layer", 0), array.at("layer", 1)};
  EXPECT_EQ(Array::stack("step", parts).unit, "nats");
  EXPECT_EQ(Array::stack("step", parts).title, "loss");
}

TEST(Array, ValuesAskedForAsAnotherTypeAreRefused) {
  const Array array = counted();
  EXPECT_EQ(array.as<double>().size(), 24u);
  EXPECT_THROW(array.as<float>(), Error);
}

TEST(Array, TextIsNoNumber) {
  const Array words({"vocab"}, {2}, std::vector<std::string>{"a", "b"});
  EXPECT_EQ(words.text(1), "b");
  EXPECT_THROW(words.number(0), Error);
  EXPECT_THROW(words.text(2), Error);
}

TEST(Array, NumbersPrintInFull) {
  const Array array({"pos"}, {2}, std::vector<double>{0.1, std::nan("")});
  EXPECT_EQ(array.text(0), "0.1");
  EXPECT_EQ(array.text(1), "NaN");
  EXPECT_EQ(Array({}, {}, std::vector<uint8_t>{65}).text(0), "65");
}

TEST(Array, NanEqualsNanButZeroIsNotMinusZero) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Array::scalar(nan).same_values(Array::scalar(-nan)));
  EXPECT_FALSE(Array::scalar(0.0).same_values(Array::scalar(-0.0)));
  EXPECT_FALSE(Array::scalar(1).same_values(Array({}, {}, std::vector<float>{1})));
}

TEST(Array, CountsItsBytes) {
  EXPECT_EQ(counted().bytes(), 24 * 8);
  EXPECT_EQ(Array::empty(Dtype::f32, {"a"}, {5}).bytes(), 20);
}

}  // namespace
}  // namespace varve
