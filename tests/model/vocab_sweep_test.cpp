// A sweep past the vocabulary shows the very logits that the model's own output path computes.
#include "analysis/model/vocab_sweep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

ModelSpec wide_vocabulary() {
  ModelSpec spec = tiny_spec();
  spec.vocab = 2500;  // more than two groups of tiles, the last one short
  spec.logit_scale = 0.5;
  spec.logit_softcap = 30;
  return spec;
}

template <class T>
std::vector<std::vector<T>> streams(const ModelSpec& spec, int64_t sets, int64_t count) {
  std::vector<std::vector<T>> all(static_cast<size_t>(sets));
  double at = 0;
  for (std::vector<T>& set : all)
    for (int64_t i = 0; i < count * spec.d_model; ++i) set.push_back(static_cast<T>(2 * std::sin(at += 0.7)));
  return all;
}

template <class T>
std::vector<const T*> pointers(const std::vector<std::vector<T>>& sets, int64_t count, int64_t width) {
  std::vector<const T*> rows;
  for (int64_t row = 0; row < count; ++row)
    for (const std::vector<T>& set : sets) rows.push_back(set.data() + row * width);
  return rows;
}

// [row, set, vocabulary]
template <class T>
std::vector<T> swept(const VocabSweep<T>& sweep, int64_t count, int64_t sets, int64_t vocab) {
  std::vector<T> all(static_cast<size_t>(count * sets * vocab));
  sweep.run(
      [&](int64_t first, int64_t tokens, int64_t row, int64_t rows, std::span<const T> logits) {
        for (int64_t r = 0; r < rows * sets; ++r)
          std::copy_n(logits.data() + r * tokens, tokens, all.data() + (row * sets + r) * vocab + first);
      },
      [](int64_t, int64_t) {});
  return all;
}

template <class T>
void expect_output_path(Compute compute) {
  const ModelSpec spec = wide_vocabulary();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Unembed unembed(weights, compute);
  for (int64_t count : {1, 2, 37, 150}) {
    const int64_t sets = 3;
    const std::vector<std::vector<T>> streamed = streams<T>(spec, sets, count);
    const std::vector<const T*> rows = pointers(streamed, count, spec.d_model);
    const std::vector<T> all = swept(VocabSweep<T>(unembed, rows, sets), count, sets, spec.vocab);
    for (int64_t set = 0; set < sets; ++set)
      unembed.run(
          std::span<const T>(streamed[static_cast<size_t>(set)]), count,
          [&](int64_t first, int64_t tokens, std::span<const T> logits) {
            for (int64_t row = 0; row < count; ++row)
              EXPECT_TRUE(std::equal(logits.begin() + row * tokens, logits.begin() + (row + 1) * tokens,
                                     all.begin() + (row * sets + set) * spec.vocab + first))
                  << name_of(compute) << ", " << count << " rows";
          });
  }
}

TEST(VocabSweep, ShowsTheLogitsOfTheModelsOwnOutputBitForBit) {
  expect_output_path<float>(Compute::f32);
  expect_output_path<float>(Compute::bf16);
  expect_output_path<double>(Compute::f64);
}

TEST(VocabSweep, LogitsOfAFewTokensAreTheOnesOfAll) {
  const ModelSpec spec = wide_vocabulary();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const int64_t count = 40, sets = 3;
  const std::vector<std::vector<float>> streamed = streams<float>(spec, sets, count);
  const std::vector<const float*> rows = pointers(streamed, count, spec.d_model);
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < 2 * count; ++i) ids.push_back(i * i * 31 % spec.vocab);
  for (Compute compute : {Compute::f32, Compute::bf16}) {
    const Unembed unembed(weights, compute);
    const VocabSweep<float> sweep(unembed, rows, sets);
    const std::vector<float> all = swept(sweep, count, sets, spec.vocab), few = sweep.logits_of(ids, 2);
    for (int64_t at = 0; at < count * sets; ++at)
      for (int64_t i = 0; i < 2; ++i)
        ASSERT_EQ(few[static_cast<size_t>(at * 2 + i)],
                  all[static_cast<size_t>(at * spec.vocab + ids[static_cast<size_t>(at / sets * 2 + i)])])
            << name_of(compute);
  }
}

TEST(VocabSweep, ThreadsNeverChangeABit) {
  const ModelSpec spec = wide_vocabulary();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Unembed unembed(weights, Compute::f32);
  const int64_t count = 50, sets = 5;
  const std::vector<std::vector<float>> streamed = streams<float>(spec, sets, count);
  const std::vector<const float*> rows = pointers(streamed, count, spec.d_model);
  const int before = threads();
  set_threads(1);
  const std::vector<float> one = swept(VocabSweep<float>(unembed, rows, sets), count, sets, spec.vocab);
  set_threads(3);
  const std::vector<float> three = swept(VocabSweep<float>(unembed, rows, sets), count, sets, spec.vocab);
  set_threads(before);
  EXPECT_EQ(one, three);
}

TEST(VocabSweep, RefusesTokensOutsideTheVocabulary) {
  const ModelSpec spec = wide_vocabulary();
  const Weights weights = tiny_tensors(spec).weights(spec);
  const Unembed unembed(weights, Compute::f32);
  const std::vector<std::vector<float>> streamed = streams<float>(spec, 1, 1);
  const std::vector<const float*> rows = pointers(streamed, 1, spec.d_model);
  const VocabSweep<float> sweep(unembed, rows, 1);
  const std::vector<int64_t> ids = {spec.vocab};
  EXPECT_THROW(sweep.logits_of(ids, 1), Error);
}

}  // namespace
}  // namespace varve
