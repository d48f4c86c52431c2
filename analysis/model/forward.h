// The forward pass with sites: layer-major over all prompts, driven by what readers say they want to see.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/compute.h"
#include "analysis/model/intervene.h"
#include "analysis/model/probes.h"
#include "analysis/model/weights.h"

namespace varve {

class ReadAhead;
struct OutputMap;

// One site of one prompt as it streams by; valid only during the call. Exactly one of f32 and f64 is filled.
struct Site {
  std::string name;  // "blocks.3.attn.pattern"
  int64_t layer = -1;
  int64_t prompt = 0;
  std::vector<std::string> axes;  // without prompt: {"head","query","key"}
  std::vector<int64_t> shape;     // of this prompt: its own length, never padded
  std::span<const float> f32;
  std::span<const double> f64;
  double at(int64_t flat) const { return f32.empty() ? f64[flat] : f32[flat]; }
  int64_t size() const { return static_cast<int64_t>(f32.empty() ? f64.size() : f32.size()); }
};

class SiteReader {
 public:
  virtual ~SiteReader() = default;
  virtual bool wants(const std::string& site) const = 0;
  // Called on the forward's own thread, site by site in the order the model computes them, prompts in order.
  virtual void see(const Site& site) = 0;
};

// Every site name of a model in computing order, with axes (prompt left out).
struct SiteInfo {
  std::string name;
  std::vector<std::string> axes;
};
std::vector<SiteInfo> sites_of(const ModelSpec& spec);
std::string plain_site(const std::string& name);  // "blocks.0.hook_resid_pre" -> "blocks.0.resid_pre"
// Site names that a list of globs selects; a glob that selects nothing is an Error (usage) naming the nearest
// site.
std::vector<std::string> select_sites(const ModelSpec& spec, const std::vector<std::string>& globs);
int64_t site_extent(const ModelSpec& spec, const std::string& axis, int64_t prompt_length);

// How a forward goes about its work; none of it changes a bit.
struct Pace {
  int64_t first_prompt = 0;    // `probes` are a block of more: the first one's place among them
  ReadAhead* ahead = nullptr;  // fetches each layer from the disk while the one before it is computed
  std::vector<std::span<const std::byte>> after;  // what it fetches during the last layer
};

// A pass that begins at a later layer, from a stream [rows of all prompts, d_model] that an earlier pass had
// as blocks.<layer>.resid_pre. layer = layers: only the final norm and the unembedding are left. Exactly one
// of f32 and f64 is filled; nothing before that layer is shown.
struct Start {
  int64_t layer = 0;
  std::span<const float> f32;
  std::span<const double> f64;
};

// Laws: a prompt alone equals the same prompt among others, and threads() never changes a bit. Stops after
// the last wanted site (weights behind it are never touched). Readers see a site as `changes` leave it;
// prompts named in changes count as pace.first_prompt does.
void forward(const Weights& weights, const Probes& probes, Compute compute,
             std::span<SiteReader* const> readers, Task& task, const Pace& pace = {},
             const Interventions& changes = {}, const Start& start = {});

// logits = softcap(logit_scale * (LN_f(resid) W_U + b_U)) for rows [count, d_model], one vocabulary tile at a
// time; the very code path the model's own output takes, so the lens at the last layer equals it bit for bit.
class Unembed {
 public:
  Unembed(const Weights& weights, Compute compute);
  ~Unembed();
  int64_t vocab() const;
  // Calls tile(first_token, tokens, logits [count, tokens]) in any order from several threads at once.
  using Tile = std::function<void(int64_t first, int64_t tokens, std::span<const float> logits)>;
  using Tile64 = std::function<void(int64_t first, int64_t tokens, std::span<const double> logits)>;
  // resid [count, d_model] with count the rows of ONE prompt (rows are never mixed between prompts).
  void run(std::span<const float> resid, int64_t count, const Tile& tile) const;
  void run(std::span<const double> resid, int64_t count, const Tile64& tile) const;
  // The same for rows that have been through the final norm already.
  void run_normalised(std::span<const float> normed, int64_t count, const Tile& tile) const;
  void run_normalised(std::span<const double> normed, int64_t count, const Tile64& tile) const;
  // In f64 rows meet BLAS in blocks that begin at multiples of row_block; see VocabSweep for several
  // residuals of the same rows.
  static constexpr int64_t row_block = 128;
  std::vector<float> normalised(std::span<const float> resid, int64_t count) const;  // LN_f only
  static constexpr int64_t tile_tokens = 1024;
  const OutputMap& map() const;

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace varve
