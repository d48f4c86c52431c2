// How long edit distances of pathway strings take: the plain table, one pair at a time in bits, and eight
// pairs at once.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "analysis/pathways/edit_distance.h"

namespace varve {
namespace {

// Strings as sixteen layers of 28 out of 64 experts give them: about 1,280 characters.
std::vector<std::string> pathway_strings(int count) {
  std::mt19937_64 random(1);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    std::string& text = texts.emplace_back();
    for (int layer = 0; layer < 16; ++layer)
      for (int k = 0; k < 28; ++k)
        text += (k > 0 ? "," : layer > 0 ? "-" : "") + std::to_string(random() % 64);
  }
  return texts;
}

int64_t plain_distance(const std::string& a, const std::string& b) {
  std::vector<int32_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int32_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int32_t diagonal = row[0];
    row[0] = static_cast<int32_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int32_t above = row[j];
      row[j] = std::min({row[j - 1] + 1, above + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

void plain(benchmark::State& state) {
  const std::vector<std::string> texts = pathway_strings(2);
  for (auto _ : state) benchmark::DoNotOptimize(plain_distance(texts[0], texts[1]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(plain)->Unit(benchmark::kMicrosecond);

void one_at_a_time(benchmark::State& state) {
  const std::vector<std::string> texts = pathway_strings(2);
  for (auto _ : state) benchmark::DoNotOptimize(edit_distance(texts[0], texts[1]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_at_a_time)->Unit(benchmark::kMicrosecond);

// The pairs of one checkpoint; ten of these are a series.
void twenty_thousand_pairs(benchmark::State& state) {
  const std::vector<std::string> texts = pathway_strings(500);
  std::mt19937_64 random(2);
  std::vector<SamplePair> pairs;
  for (int i = 0; i < 20000; ++i) pairs.emplace_back(random() % texts.size(), random() % texts.size());
  Task task;
  for (auto _ : state) benchmark::DoNotOptimize(edit_distances(texts, pairs, task));
  state.SetItemsProcessed(state.iterations() * 20000);
}
BENCHMARK(twenty_thousand_pairs)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace varve

BENCHMARK_MAIN();
