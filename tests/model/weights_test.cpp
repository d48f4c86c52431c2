// Recipes on tensors small enough for paper, the number types, and damage.
#include "analysis/model/weights.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/core/error.h"
#include "analysis/model/kernels.h"
#include "analysis/model/widen.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

// A tensor 0, 1, 2 ... under the name "t".
Weights counting(std::vector<int64_t> shape, TensorTake take) {
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  auto values = std::make_shared<std::vector<float>>();
  for (int64_t i = 0; i < count; ++i) values->push_back(static_cast<float>(i));
  take.source = "t";
  return Weights(tiny_spec(), {{"w", take}}, [values, shape](const std::string&) {
    return RawTensor{RawType::f32, shape, std::as_bytes(std::span(*values))};
  });
}

std::vector<double> all_of(const Matrix& matrix) {
  std::vector<double> values(static_cast<size_t>(matrix.rows * matrix.columns));
  widen_rows(matrix, 0, matrix.rows, values.data());
  return values;
}

TEST(Recipe, TransposesWithoutACopy) {
  const Weights weights = counting({2, 3}, {"", {}, -1, 0, 0, {1, 0}, {3, 2}});
  const Matrix matrix = weights.matrix("w");
  EXPECT_EQ(matrix.owned, nullptr);
  EXPECT_EQ(matrix.column_stride, 3);
  EXPECT_EQ(all_of(matrix), (std::vector<double>{0, 3, 1, 4, 2, 5}));
}

TEST(Recipe, SlicesTheFusedMatrixOfGpt2) {
  // [in 2, out 6] holds q, k, v side by side; k transposed is [2, 2].
  const Weights weights = counting({2, 6}, {"", {}, 1, 2, 4, {1, 0}, {2, 2}});
  const Matrix matrix = weights.matrix("w");
  EXPECT_EQ(matrix.owned, nullptr);
  EXPECT_EQ(all_of(matrix), (std::vector<double>{2, 8, 3, 9}));
}

TEST(Recipe, TakesOneOfThreeInterleavedHeadsOfNeoX) {
  // [heads 2, (q k v) 3, d_head 1, in 2]: k of both heads.
  const Weights weights = counting({6, 2}, {"", {2, 3, 1, 2}, 1, 1, 2, {}, {2, 2}});
  EXPECT_EQ(all_of(weights.matrix("w")), (std::vector<double>{2, 3, 8, 9}));
  // With d_head 2 rows are no longer evenly spaced, so they are copied.
  const Weights wider = counting({12, 1}, {"", {2, 3, 2, 1}, 1, 1, 2, {}, {4, 1}});
  const Matrix matrix = wider.matrix("w");
  EXPECT_NE(matrix.owned, nullptr);
  EXPECT_EQ(all_of(matrix), (std::vector<double>{2, 3, 8, 9}));
}

TEST(Recipe, WidensAnyStretchOfRows) {
  const int64_t rows = 70, columns = 45;
  const Weights plain = counting({rows, columns}, {"", {}, -1, 0, 0, {}, {rows, columns}});
  const Weights turned = counting({columns, rows}, {"", {}, -1, 0, 0, {1, 0}, {rows, columns}});
  std::vector<float> tile(50 * 45);
  widen_rows(plain.matrix("w"), 13, 50, tile.data());
  EXPECT_EQ(tile[0], 13 * 45);
  EXPECT_EQ(tile[static_cast<size_t>(49 * 45 + 44)], 62 * 45 + 44);
  widen_rows(turned.matrix("w"), 13, 50, tile.data());
  EXPECT_EQ(tile[0], 13);
  EXPECT_EQ(tile[static_cast<size_t>(49 * 45 + 44)], 44 * 70 + 62);
}

TEST(Recipe, ColumnsOfAMatrixAreAMatrix) {
  const Weights weights = counting({2, 4}, {"", {}, -1, 0, 0, {}, {2, 4}});
  EXPECT_EQ(all_of(columns_of(weights.matrix("w"), 1, 2)), (std::vector<double>{1, 2, 5, 6}));
}

TEST(Recipe, RefusesWhatDoesNotFit) {
  const auto refused = [](std::vector<int64_t> shape, const TensorTake& take) {
    EXPECT_THROW(counting(std::move(shape), take).matrix("w"), Error);
  };
  refused({2, 3}, {"", {}, -1, 0, 0, {}, {2, 4}});
  refused({2, 3}, {"", {7}, -1, 0, 0, {}, {2, 3}});
  refused({2, 3}, {"", {int64_t{1} << 40, int64_t{1} << 40}, -1, 0, 0, {}, {2, 3}});
  refused({2, 3}, {"", {-2, -3}, -1, 0, 0, {}, {2, 3}});
  refused({2, 3}, {"", {}, 1, 2, 4, {}, {2, 2}});
  refused({2, 3}, {"", {}, 1, -1, 1, {}, {2, 2}});
  refused({2, 3}, {"", {}, 2, 0, 1, {}, {2, 2}});
  refused({2, 3}, {"", {}, -1, 0, 0, {0, 0}, {2, 3}});
  refused({2, 3}, {"", {}, -1, 0, 0, {0, 2}, {2, 3}});
  refused({2, 3}, {"", {}, -1, 0, 0, {}, {6}});
  refused({2, 3}, {"", {}, 0, 1, 1, {}, {0, 3}});
  const std::vector<float> values(3);
  const Weights cut(tiny_spec(), {{"w", {"t", {}, -1, 0, 0, {}, {2, 2}}}}, [&](const std::string&) {
    return RawTensor{RawType::f32, {2, 2}, std::as_bytes(std::span(values))};
  });
  EXPECT_THROW(cut.matrix("w"), Error);
  EXPECT_THROW(cut.matrix("absent"), Error);
  EXPECT_FALSE(cut.has("absent"));
}

TEST(Recipe, SurvivesJson) {
  TensorRecipe recipe;
  recipe["a"] = {"x", {2, 3}, 1, 0, 2, {1, 0}, {2, 2}};
  recipe["b"] = {"y", {}, -1, 0, 0, {}, {4}};
  const TensorRecipe back = recipe_from_json(to_json(recipe));
  EXPECT_EQ(to_json(back), to_json(recipe));
  EXPECT_EQ(back.at("a").view, recipe.at("a").view);
  EXPECT_EQ(back.at("a").permute, recipe.at("a").permute);
  EXPECT_EQ(back.at("a").end, 2);
  EXPECT_EQ(back.at("b").axis, -1);
  for (const char* wrong :
       {"", "[]", "{\"a\": 1}", R"({"a": {"source": 3, "shape": [1]}})", R"({"a": {"source": "x"}})",
        R"({"a": {"source": "x", "shape": ["1"]}})", R"({"a": {"source": "x", "shape": [1], "slice": [1]}})"})
    EXPECT_THROW(recipe_from_json(wrong), Error) << wrong;
}

TEST(Spec, SurvivesJsonAndNamesWhatIsWrong) {
  ModelSpec spec = tiny_spec();
  spec.family = "llama";
  spec.norm = Norm::rms;
  spec.rope.scaling = RopeScaling::yarn;
  spec.rope.theta = 1e6;
  spec.window = {0, 16};
  EXPECT_EQ(to_json(spec_from_json(to_json(spec))), to_json(spec));
  EXPECT_EQ(spec_from_json(to_json(spec)).rope.scaling, RopeScaling::yarn);
  const auto message = [](const std::string& json) -> std::string {
    try {
      spec_from_json(json);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("{}").find("layers"), std::string::npos);
  std::string text = to_json(spec);
  text.replace(text.find("\"rms\""), 5, "\"odd\"");
  EXPECT_NE(message(text).find("norm"), std::string::npos);
  spec.heads = 4;  // does not divide among 3
  EXPECT_THROW(check(spec), Error);
  EXPECT_NE(message("not json").find("JSON"), std::string::npos);
}

TEST(Spec, MapsQueryHeadsToKeyHeads) {
  ModelSpec spec = tiny_spec();
  spec.heads = 6;
  spec.kv_heads = 2;
  EXPECT_EQ(kv_head_of(spec, 2), 0);
  EXPECT_EQ(kv_head_of(spec, 3), 1);
}

// The plain definition of half precision, as the oracle for all 65,536 of them.
TEST(Widen, ReadsEveryHalf) {
  for (int bits = 0; bits < 65536; ++bits) {
    const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const float found = from_f16(static_cast<uint16_t>(bits));
    EXPECT_EQ(std::signbit(found), (bits & 0x8000) != 0);
    if (exponent == 31 && fraction != 0) {
      EXPECT_TRUE(std::isnan(found));
      continue;
    }
    double value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 31) value = INFINITY;
    EXPECT_EQ(std::abs(found), value) << bits;
  }
}

TEST(Widen, ReadsBrainFloats) {
  EXPECT_EQ(from_bf16(0x3f80), 1.0f);
  EXPECT_EQ(from_bf16(0xc040), -3.0f);
}

TEST(Widen, ReadsUnalignedBytes) {
  const float values[] = {1.5f, -2};
  std::vector<std::byte> bytes(9);
  std::memcpy(bytes.data() + 1, values, 8);
  double out[2];
  widen(RawType::f32, bytes.data() + 1, 1, 2, out);
  EXPECT_EQ(out[1], -2);
}

}  // namespace
}  // namespace varve
