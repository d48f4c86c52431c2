// What a forward holds at its peak, part by part, and the cutting of prompts into blocks that fit.
#include "analysis/memory_plan.h"

#include <algorithm>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/resident.h"
#include "analysis/core/text.h"
#include "analysis/model/embedding.h"
#include "analysis/model/kernels.h"
#include "analysis/model/recipe.h"

namespace varve {
namespace {

// What the matrix library and the pool take once they work, measured: its packing buffers are filled by f64
// products with weights, hardly by the small products of attention that f32 leaves to it.
constexpr int64_t library_bytes = int64_t{4} << 20;
constexpr int64_t narrow_library_bytes_per_thread = int64_t{4} << 20;
constexpr int64_t wide_library_bytes_per_thread = int64_t{12} << 20;
// One fault maps so many neighbours of a page of a file with it.
constexpr int64_t fault_bytes = int64_t{64} << 10;
// A result is held, laid out for its file, and read again.
constexpr int64_t result_copies = 3;

// Bytes in memory while one matrix is multiplied with: rows are read in tiles, one a thread, each released
// behind; a matrix that strides cannot say is copied, and columns that lie apart touch every page.
class WeightWindow {
 public:
  WeightWindow(const MemoryNeed& need, int64_t number) : need_(need), number_(number) {
    for (const TensorRecord& tensor : need.checkpoint->tensors) tensors_.emplace(tensor.name, &tensor);
  }

  // tile_rows: at most so many rows of the matrix are in work at once, a tile for each thread.
  int64_t of(const TensorTake& take, int64_t tile_rows) const {
    const auto found = tensors_.find(take.source);
    if (found == tensors_.end() || take.shape.size() != 2) return 0;
    const TensorRecord& source = *found->second;
    const int64_t size = size_of(source.type), rows = take.shape[0], columns = take.shape[1];
    const int64_t tiles = std::min(rows, threads() * tile_rows) * columns;
    const bool copied = !take.view.empty(), apart = !take.permute.empty();
    int64_t bytes = tiles * number_;  // widened or packed for the kernel
    // Unpacked beside its packed difference and what that is a difference to.
    if (is_packed(source)) bytes += 2 * source_bytes(source);
    if (copied) return bytes + rows * columns * size + source_bytes(source);
    return bytes + (apart || is_packed(source) ? source_bytes(source) : tiles * size);
  }

  int64_t whole(const TensorTake& take) const {
    const auto found = tensors_.find(take.source);
    return found == tensors_.end() ? 0 : source_bytes(*found->second);
  }

 private:
  static int64_t source_bytes(const TensorRecord& source) {
    int64_t bytes = size_of(source.type);
    for (const int64_t extent : source.shape) bytes *= extent;
    return bytes;
  }
  bool is_packed(const TensorRecord& source) const {
    return need_.store && source.link_path.empty() && !need_.store->keeps_whole(source.digest);
  }
  const MemoryNeed& need_;
  int64_t number_;
  std::map<std::string, const TensorRecord*> tensors_;
};

struct Windows {
  int64_t blocks = 0;   // the largest of all blocks' matrices
  int64_t unembed = 0;  // tiles only
  int64_t output = 0;   // the whole unembedding, where its pages are kept
  int64_t table = 0;    // the embedding
};

Windows windows_of(const MemoryNeed& need, const ModelSpec& spec, int64_t number) {
  const WeightWindow window(need, number);
  const TensorRecipe recipe = recipe_from_json(need.checkpoint->recipe);
  Windows windows;
  const bool own = recipe.count("unembed.W_U") > 0 || !spec.tied;
  for (const auto& [name, take] : recipe) {
    if (name.starts_with("blocks.") && take.shape.size() == 2) {
      const int64_t tile = need.compute == Compute::f64
                               ? widest_weight_tile
                               : packed_tile_rows(need.compute, take.shape[0], take.shape[1]);
      windows.blocks = std::max(windows.blocks, window.of(take, tile));
    }
    if (name == "embed.W_E") windows.table = window.whole(take);
    if (name != (own ? "unembed.W_U" : "embed.W_E")) continue;
    windows.unembed = window.of(take, Unembed::tile_tokens);
    windows.output = windows.unembed + window.whole(take);
  }
  return windows;
}

// What one pass over a block of prompts holds, beside what the process held before.
class Peak {
 public:
  explicit Peak(const MemoryNeed& need) : need_(need), spec_(spec_from_json(need.checkpoint->spec)) {
    number_ = need.compute == Compute::f64 ? 8 : 4;
    windows_ = windows_of(need, spec_, number_);
    const Probes& probes = *need.probes;
    const int64_t places = static_cast<int64_t>(probes.prompts.size()) * probes.longest();
    base_ = resident_bytes() + library_bytes +
            threads() * (number_ == 8 ? wide_library_bytes_per_thread : narrow_library_bytes_per_thread);
    result_ = places * need.cost.result_per_place;
    // All cells' reduced parts, and the same joined; one whole cell while it is read.
    series_ = base_ + 2 * need.steps * places * need.cost.reduced_per_place + result_ * 2;
  }

  // One token, whatever is made of it.
  int64_t least() const { return of(1, 1, true) - result_; }
  // The end of a run, which no cutting of prompts makes smaller.
  int64_t ending() const { return std::max(series_, base_ + result_copies * result_); }

  int64_t of(int64_t tokens, int64_t longest, bool frugal) const {
    const int64_t kept = tokens * need_.cost.kept_per_token;
    const int64_t output = frugal ? windows_.unembed : windows_.output;
    const int64_t looking_up =
        std::min(windows_.table, std::min(tokens, frugal ? frugal_lookups : tokens) * fault_bytes);
    const int64_t passing =
        std::max(looking_up + 2 * tokens * spec_.d_model * number_,
                 buffers(tokens, frugal) + std::max(windows_.blocks + packed(tokens), attention(longest)));
    const int64_t showing =
        need_.largest_site > 0 ? buffers(tokens, frugal) + need_.largest_site + output : 0;
    const bool less = frugal && need_.cost.frugal_scratch >= 0;
    const int64_t reading = (less ? need_.cost.frugal_scratch : need_.cost.scratch) + output;
    return base_ + result_ + kept + std::max({passing, showing, reading});
  }

 private:
  // The rows that a matrix is multiplied with, packed so many at once.
  int64_t packed(int64_t tokens) const {
    const int64_t widest = std::max({spec_.d_model, spec_.d_mlp, spec_.heads * spec_.d_head, spec_.d_expert});
    return std::min(most_packed_bytes, tokens * widest * number_);
  }

  int64_t attention(int64_t longest) const {
    constexpr int64_t block_queries = 64;
    return threads() * std::min(block_queries, longest) * longest * number_;
  }

  int64_t buffers(int64_t tokens, bool frugal) const {
    const int64_t stream = spec_.d_model, heads = spec_.heads * spec_.d_head,
                  kv = spec_.kv_heads * spec_.d_head;
    const int64_t factor = spec_.gated_mlp ? 2 : 1;
    // Experts work on the rows that chose them: at worst one expert was chosen by all.
    const int64_t widest = std::max(spec_.d_expert, spec_.d_shared);
    const int64_t sparse = spec_.experts > 0 ? factor * widest + 3 * stream + 4 * spec_.experts : 0;
    const int64_t mlp = std::max(factor * spec_.d_mlp, sparse);
    const int64_t attending = stream + 2 * heads + 2 * kv;  // the normed stream, q and z, k and v
    // The stream itself, what the MLP reads, what a module adds.
    const int64_t common = 3 * stream;
    const int64_t widths = common + (frugal ? std::max(attending, mlp) : attending + mlp);
    return tokens * widths * number_;
  }

  const MemoryNeed& need_;
  ModelSpec spec_;
  Windows windows_;
  int64_t number_ = 4, base_ = 0, result_ = 0, series_ = 0;
};

std::vector<PromptBlock> blocks_within(const Peak& peak, const Probes& probes, int64_t budget) {
  std::vector<PromptBlock> blocks;
  int64_t tokens = 0, longest = 0;
  for (size_t p = 0; p < probes.prompts.size(); ++p) {
    const auto length = static_cast<int64_t>(probes.prompts[p].size());
    const bool fits = peak.of(tokens + length, std::max(longest, length), true) <= budget;
    if (blocks.empty() || !fits) {
      blocks.push_back({static_cast<int64_t>(p), 0});
      tokens = longest = 0;
    }
    ++blocks.back().count;
    tokens += length;
    longest = std::max(longest, length);
  }
  return blocks;
}

int64_t tokens_in(const Probes& probes, const PromptBlock& block) {
  int64_t tokens = 0;
  for (int64_t p = block.first; p < block.first + block.count; ++p)
    tokens += static_cast<int64_t>(probes.prompts[static_cast<size_t>(p)].size());
  return tokens;
}

[[noreturn]] void refuse(const Peak& peak, const MemoryPlan& plan, const MemoryNeed& need, int64_t budget) {
  const int64_t longest = need.probes->longest();
  if (peak.least() > budget)
    fail_budget(
        "one token alone needs {}: a tile of the model's largest matrix for each of {} threads. Give fewer "
        "--threads, or raise --max-memory from {} to {}",
        show_bytes(peak.least()), threads(), show_bytes(budget), show_bytes(plan.peak));
  if (peak.ending() > budget)
    fail_budget(
        "the result of {} prompts of up to {} tokens at {} steps needs {} to be held and written, more than "
        "--max-memory {}. Give fewer prompts (--text, --tokens, --probes) or --steps, keep less (--set), or "
        "raise --max-memory to {}",
        need.probes->prompts.size(), longest, need.steps, show_bytes(peak.ending()), show_bytes(budget),
        show_bytes(plan.peak));
  fail_budget(
      "a prompt of {} tokens alone needs {}, more than --max-memory {}. Give shorter prompts (--text, "
      "--tokens, --probes), fewer --threads, or raise --max-memory",
      longest, show_bytes(plan.peak), show_bytes(budget));
}

}  // namespace

MemoryPlan plan_memory(const MemoryNeed& need, int64_t budget) {
  const Probes& probes = *need.probes;
  const Peak peak(need);
  const auto count = static_cast<int64_t>(probes.prompts.size());
  const PromptBlock all{0, count};
  MemoryPlan plan{{all}, false, std::max(peak.ending(), peak.of(probes.tokens(), probes.longest(), false))};
  if (budget <= 0 || plan.peak <= budget) return plan;
  plan.frugal = true;
  plan.blocks = blocks_within(peak, probes, budget);
  plan.peak = peak.ending();
  for (const PromptBlock& block : plan.blocks) {
    const Probes some = prompts_of(probes, block);
    plan.peak = std::max(plan.peak, peak.of(tokens_in(probes, block), some.longest(), true));
  }
  if (plan.peak > budget) refuse(peak, plan, need, budget);
  return plan;
}

Probes prompts_of(const Probes& probes, const PromptBlock& block) {
  Probes some;
  some.name = probes.name;
  some.prompts.assign(probes.prompts.begin() + block.first,
                      probes.prompts.begin() + block.first + block.count);
  if (!probes.questions.empty())
    some.questions.assign(probes.questions.begin() + block.first,
                          probes.questions.begin() + block.first + block.count);
  return some;
}

}  // namespace varve
