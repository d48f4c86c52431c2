// Costs by counting: every matrix of the model against the tokens that meet it, and a short measurement.
#include "analysis/estimate.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <span>

#include "analysis/core/mapped_file.h"
#include "analysis/model/kernels.h"
#include "analysis/run_plan.h"

namespace varve {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The same product that layers use, at a size whose operands stay in the caches.
double measured_flops() {
  constexpr int64_t rows = 256, size = 1024;
  const std::vector<float> x(static_cast<size_t>(rows * size), 0.5f);
  const std::vector<float> weights(static_cast<size_t>(size * size), 0.25f);
  std::vector<float> out(static_cast<size_t>(rows * size));
  const Matrix matrix{
      RawType::f32, size, size, size, 1, reinterpret_cast<const std::byte*>(weights.data()), {}};
  const std::vector<int64_t> begin = {0, rows};
  double best = 0;
  for (int repeat = 0; repeat < 4; ++repeat) {  // the first one also starts threads
    const Clock::time_point began = Clock::now();
    linear<float>({x.data(), size}, begin, matrix, {}, {out.data(), size}, Task());
    best = std::max(best, 2.0 * rows * size * size / seconds_since(began));
  }
  return best;
}

// Stretches from all over the weights: some may be in the system's file cache, as they will be for the run.
double measured_read(const std::vector<std::span<const std::byte>>& places) {
  constexpr size_t stretch = size_t{1} << 20, most = 16;
  const size_t stride = std::max<size_t>(1, places.size() / most);
  size_t bytes = 0;
  const Clock::time_point began = Clock::now();
  uint64_t sum = 0;
  for (size_t i = 0; i < places.size(); i += stride) {
    // From the middle: the first bytes of a file are the ones looked at most often.
    const size_t count = std::min(stretch, places[i].size());
    const std::span<const std::byte> some = places[i].subspan((places[i].size() - count) / 2, count);
    for (size_t at = 0; at < some.size(); at += 64) sum += static_cast<uint64_t>(some[at]);
    bytes += some.size();
  }
  const double seconds = seconds_since(began) + (sum == 0 ? 1e-9 : 0);  // the sum is what keeps the loop
  for (const std::span<const std::byte>& place : places) done_with(place);
  return bytes == 0 ? 0 : static_cast<double>(bytes) / seconds;
}

int64_t layer_of(const std::string& name) {
  constexpr std::string_view blocks = "blocks.";
  return name.starts_with(blocks) ? std::stoll(name.substr(blocks.size())) : -1;
}

int64_t count_of(const std::vector<int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

// The share of an expert's weights that a token meets.
double share_met(const ModelSpec& spec, const std::string& name) {
  if (spec.experts == 0 || name.find(".experts.") == std::string::npos) return 1;
  return static_cast<double>(spec.experts_per_token) / static_cast<double>(spec.experts);
}

bool is_output(const ModelSpec& spec, const TensorRecipe& recipe, const std::string& name) {
  const bool own = recipe.count("unembed.W_U") > 0 || !spec.tied;
  return name == (own ? "unembed.W_U" : "embed.W_E");
}

}  // namespace

MachineSpeed measure_speed(const Weights& weights) {
  return {measured_flops(), measured_read(weights.stretches("blocks."))};
}

MachineSpeed measure_speed(const RunStore& store, const CheckpointRecord& sample) {
  constexpr size_t most = 16;
  std::vector<std::span<const std::byte>> places;
  const size_t stride = std::max<size_t>(1, sample.tensors.size() / most);
  for (size_t i = 0; i < sample.tensors.size(); i += stride) {
    const auto some = store.stored(sample.tensors[i]);
    places.insert(places.end(), some.begin(), some.end());
  }
  return {measured_flops(), measured_read(places)};
}

double forward_flops(const CheckpointRecord& checkpoint, const Probes& probes, int64_t last_layer) {
  const ModelSpec spec = spec_from_json(checkpoint.spec);
  const TensorRecipe recipe = recipe_from_json(checkpoint.recipe);
  const auto tokens = static_cast<double>(probes.tokens());
  double flops = 0;
  for (const auto& [name, take] : recipe) {
    if (take.shape.size() != 2) continue;
    const bool block = name.starts_with("blocks.") && layer_of(name) <= last_layer;
    const bool output = last_layer >= spec.layers && is_output(spec, recipe, name);
    if (block || output)
      flops += 2 * tokens * static_cast<double>(count_of(take.shape)) * share_met(spec, name);
  }
  // Scores and mix: two products of every query with the keys it may see, about half of the prompt.
  const auto layers = static_cast<double>(std::min(last_layer + 1, spec.layers));
  for (const std::vector<int64_t>& prompt : probes.prompts) {
    const auto length = static_cast<double>(prompt.size());
    flops += layers * 2 * length * (length + 1) * static_cast<double>(spec.heads * spec.d_head);
  }
  return flops;
}

int64_t forward_bytes(const CheckpointRecord& checkpoint, const Probes& probes, int64_t last_layer) {
  const ModelSpec spec = spec_from_json(checkpoint.spec);
  const TensorRecipe recipe = recipe_from_json(checkpoint.recipe);
  std::map<std::string, const TensorRecord*> tensors;
  for (const TensorRecord& tensor : checkpoint.tensors) tensors.emplace(tensor.name, &tensor);
  std::set<std::string> counted;
  int64_t bytes = 0;
  for (const auto& [name, take] : recipe) {
    const auto found = tensors.find(take.source);
    if (found == tensors.end()) continue;
    const bool whole = (name.starts_with("blocks.") && layer_of(name) <= last_layer) ||
                       (last_layer >= spec.layers && is_output(spec, recipe, name));
    const int64_t all = count_of(found->second->shape) * size_of(found->second->type);
    if (whole && counted.insert(take.source).second) {
      // Many tokens among few experts reach nearly all of them; few tokens reach at most so many.
      const double reached = std::min(1.0, share_met(spec, name) * static_cast<double>(probes.tokens()));
      bytes += static_cast<int64_t>(reached * static_cast<double>(all));
    } else if (name == "embed.W_E" && !counted.contains(take.source)) {
      bytes += std::min(all, probes.tokens() * spec.d_model * size_of(found->second->type));
    }
  }
  return bytes;
}

double seconds_of(double flops, int64_t bytes, const MachineSpeed& speed) {
  const double computing = speed.flops > 0 ? flops / speed.flops : 0;
  const double reading = speed.read_bytes > 0 ? static_cast<double>(bytes) / speed.read_bytes : 0;
  return std::max(computing, reading);
}

MemoryPlan plan_run_memory(const RunStore& store, const RunRequest& request) {
  const RunPlan plan = plan_run(store.series(), request);
  const std::vector<int64_t> missing = missing_steps(&store, plan);
  if (missing.empty() || !plan.analysis->needs_probes) return {};
  const CheckpointRecord& first = checkpoint_at(store.series(), request.branch, missing.front());
  return plan_memory(memory_need(&store, plan, request, first), request.max_memory);
}

namespace {

using Measure = std::function<MachineSpeed(const CheckpointRecord&)>;

Estimate estimate(const SeriesRecord& series, const RunStore* store, const RunRequest& request,
                  const Measure& measure) {
  const RunPlan plan = plan_run(series, request);
  const std::vector<int64_t> missing = missing_steps(store, plan);
  Estimate estimate;
  estimate.cells_to_compute = static_cast<int64_t>(missing.size());
  estimate.cells_cached = static_cast<int64_t>(plan.report.steps.size()) - estimate.cells_to_compute;
  if (missing.empty() || !plan.analysis->needs_probes) return estimate;
  const CheckpointRecord& first = checkpoint_at(series, request.branch, missing.front());
  const MemoryNeed need = memory_need(store, plan, request, first);
  const MemoryPlan memory = plan_memory(need, request.max_memory);
  estimate.speed = measure(first);
  estimate.passes = static_cast<int64_t>(memory.blocks.size());
  estimate.peak_bytes = memory.peak;
  for (const int64_t step : missing) {
    const CheckpointRecord& checkpoint = checkpoint_at(series, request.branch, step);
    const int64_t layers = spec_from_json(checkpoint.spec).layers;
    const int64_t bytes = estimate.passes * forward_bytes(checkpoint, request.probes, layers);
    const double flops = forward_flops(checkpoint, request.probes, layers - 1) + need.cost.flops;
    estimate.bytes_to_read += bytes;
    estimate.flops += flops;
    // Double precision runs on half as many lanes.
    estimate.seconds +=
        seconds_of(request.compute == Compute::f64 ? 2 * flops : flops, bytes, estimate.speed);
  }
  return estimate;
}

}  // namespace

Estimate estimate_run(const RunStore& store, const RunRequest& request) {
  return estimate(store.series(), &store, request,
                  [&store](const CheckpointRecord& first) { return measure_speed(store, first); });
}

Estimate estimate_run(const SeriesRecord& series, const RunStore* store, const Weights& sample,
                      const RunRequest& request) {
  return estimate(series, store, request,
                  [&sample](const CheckpointRecord&) { return measure_speed(sample); });
}

}  // namespace varve
