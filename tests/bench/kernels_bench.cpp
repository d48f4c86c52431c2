// How fast the inner loops are: products by tile and kernel, beside BLAS on the same sizes; attention, norms,
// the unembedding, the lens and the widening of weights. One thread unless the name says otherwise.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/core/pool.h"
#include "analysis/lens.h"
#include "analysis/model/attention.h"
#include "analysis/model/gemm.h"
#include "analysis/model/kernels.h"
#include "tests/support/tiny_model.h"

namespace varve {
namespace {

std::vector<float> values(int64_t count) {
  std::vector<float> all(static_cast<size_t>(count));
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = static_cast<float>(std::sin(static_cast<double>(i % 9973)));
  return all;
}

void report_flops(benchmark::State& state, double flops) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(flops * static_cast<double>(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

// [rows, k] times the transpose of [columns, k], as in the layers of GPT-2 small.
struct Shape {
  const char* name;
  int64_t rows, columns, k;
};
constexpr Shape shapes[] = {{"q_k_v", 2048, 768, 768},
                            {"mlp_in", 2048, 3072, 768},
                            {"mlp_out", 2048, 768, 3072},
                            {"unembed_tile", 2048, 1024, 768},
                            {"short_prompt", 16, 768, 768}};

void blas_product(benchmark::State& state, const Shape& shape) {
  const std::vector<float> a = values(shape.rows * shape.k), b = values(shape.columns * shape.k);
  std::vector<float> c(static_cast<size_t>(shape.rows * shape.columns));
  for (auto _ : state)
    multiply_turned<float>(shape.rows, shape.columns, shape.k, 1.0f, {a.data(), shape.k}, {b.data(), shape.k},
                           {c.data(), shape.columns});
  report_flops(state, 2.0 * static_cast<double>(shape.rows * shape.columns * shape.k));
}

// The micro kernel alone, both sides packed before.
void micro_kernel(benchmark::State& state, const GemmKernel& kernel) {
  const int64_t n = 256, k = 768, m = kernel.rows;
  const std::vector<float> a = values(m * k), b = values(n * k);
  PackedBytes block, panels;
  kernel.pack_block(a.data(), k, m, k, block.sized(kernel.block_bytes(k)));
  std::byte* const out = panels.sized(kernel.panels(n) * kernel.panel_bytes(k));
  for (int64_t panel = 0; panel < kernel.panels(n); ++panel)
    kernel.pack_panel(b.data() + panel * kernel.columns * k, k, 1, kernel.columns, k,
                      out + panel * kernel.panel_bytes(k));
  std::vector<float> c(static_cast<size_t>(m * n));
  for (auto _ : state) kernel.multiply(m, n, k, block.data(), panels.data(), c.data(), n);
  report_flops(state, 2.0 * static_cast<double>(m * n * k));
}

// What the forward pass calls: packing of both sides included.
void whole_linear(benchmark::State& state, const Shape& shape, Compute compute) {
  const std::vector<float> x = values(shape.rows * shape.k), w = values(shape.columns * shape.k);
  std::vector<float> out(static_cast<size_t>(shape.rows * shape.columns));
  const Matrix matrix{
      RawType::f32, shape.columns, shape.k, shape.k, 1, std::as_bytes(std::span(w)).data(), nullptr, {}};
  const std::vector<int64_t> begin = {0, shape.rows};
  for (auto _ : state)
    linear<float>({x.data(), shape.k}, begin, matrix, {}, {out.data(), shape.columns}, Task(), compute);
  report_flops(state, 2.0 * static_cast<double>(shape.rows * shape.columns * shape.k));
}

ModelSpec small_gpt2() {
  ModelSpec spec = tiny_spec();
  spec.layers = 1;
  spec.d_model = 768;
  spec.heads = spec.kv_heads = 12;
  spec.d_head = 64;
  spec.d_mlp = 3072;
  spec.vocab = 50257;
  spec.rope.dims = 64;
  return spec;
}

void attention(benchmark::State& state) {
  const ModelSpec spec = small_gpt2();
  const int64_t length = state.range(0);
  const std::vector<float> q = values(length * 768), k = values(length * 768), v = values(length * 768);
  std::vector<float> z(q.size());
  const std::vector<int64_t> begin = {0, length};
  for (auto _ : state)
    attend(spec, attention_plan(spec, 0), begin, q.data(), k.data(), v.data(), z.data(), Task());
  report_flops(state, 2.0 * 768 * static_cast<double>(length * length));  // the causal half of two products
}

void norm(benchmark::State& state) {
  const int64_t rows = 256, width = 768;
  const NormWeights<float> weights{Norm::layer, 1e-5, values(width), values(width)};
  const std::vector<float> x = values(rows * width);
  std::vector<float> out(x.size());
  for (auto _ : state) norm_rows(weights, x.data(), rows, width, out.data());
  state.SetItemsProcessed(state.iterations() * rows * width);
}

void activation(benchmark::State& state, Activation kind) {
  const std::vector<float> x = values(1 << 16);
  std::vector<float> out(x.size());
  for (auto _ : state) {
    std::copy(x.begin(), x.end(), out.begin());
    activate<float>(kind, out.data(), nullptr, static_cast<int64_t>(out.size()));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(x.size()));
}

void widening(benchmark::State& state, RawType type) {
  const int64_t rows = 256, columns = 768;
  const std::vector<float> raw = values(rows * columns);
  const Matrix matrix{type, rows, columns, columns, 1, std::as_bytes(std::span(raw)).data(), nullptr, {}};
  std::vector<float> out(raw.size());
  for (auto _ : state) widen_rows(matrix, 0, rows, out.data());
  state.SetItemsProcessed(state.iterations() * rows * columns);
}

// 13 layers of 64 positions past 50257 tokens: what `logit-lens` does once the residual streams are there.
void lens(benchmark::State& state, Compute compute) {
  const ModelSpec spec = small_gpt2();
  static const Weights weights = tiny_tensors(small_gpt2()).weights(small_gpt2());
  const Unembed unembed(weights, compute);
  const int64_t count = 64, sets = 13;
  const std::vector<std::vector<float>> residuals(static_cast<size_t>(sets), values(count * spec.d_model));
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i < count; ++i) tokens.push_back(i * 31);
  for (auto _ : state) {
    Task task;
    benchmark::DoNotOptimize(lens_of_prompt<float>(unembed, residuals, tokens, spec.d_model, 5, task));
  }
  // The products that have to be made; the output path's own are not counted.
  report_flops(state, 2.0 * static_cast<double>(sets * count * spec.vocab * spec.d_model));
}

void unembedding(benchmark::State& state, Compute compute) {
  const ModelSpec spec = small_gpt2();
  static const Weights weights = tiny_tensors(small_gpt2()).weights(small_gpt2());
  const Unembed unembed(weights, compute);
  const int64_t count = 256;
  const std::vector<float> resid = values(count * spec.d_model);
  for (auto _ : state)
    unembed.run(resid, count, [](int64_t, int64_t, std::span<const float> logits) {
      benchmark::DoNotOptimize(logits.data());
    });
  report_flops(state, 2.0 * static_cast<double>(count * spec.vocab * spec.d_model));
}

void add_all() {
  for (const Shape& shape : shapes) {
    benchmark::RegisterBenchmark(fmt::format("blas/{}", shape.name).c_str(), blas_product, shape);
    for (Compute compute : {Compute::f32, Compute::bf16})
      benchmark::RegisterBenchmark(fmt::format("linear/{}/{}", name_of(compute), shape.name).c_str(),
                                   whole_linear, shape, compute);
  }
  for (Compute compute : {Compute::f32, Compute::bf16}) {
    for (const GemmKernel* kernel : gemm_kernels(compute))
      benchmark::RegisterBenchmark(fmt::format("micro/{}/{}", name_of(compute), kernel->name).c_str(),
                                   micro_kernel, *kernel);
    benchmark::RegisterBenchmark(fmt::format("unembed/{}", name_of(compute)).c_str(), unembedding, compute)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(fmt::format("lens/{}", name_of(compute)).c_str(), lens, compute)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("attention", attention)->Arg(256)->Arg(1024);
  benchmark::RegisterBenchmark("norm", norm);
  benchmark::RegisterBenchmark("activation/gelu", activation, Activation::gelu);
  benchmark::RegisterBenchmark("activation/gelu_tanh", activation, Activation::gelu_tanh);
  benchmark::RegisterBenchmark("activation/silu", activation, Activation::silu);
  benchmark::RegisterBenchmark("widen/f32", widening, RawType::f32);
  benchmark::RegisterBenchmark("widen/f16", widening, RawType::f16);
  benchmark::RegisterBenchmark("widen/bf16", widening, RawType::bf16);
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  varve::set_threads(1);
  varve::add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
