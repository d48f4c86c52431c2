// The names of everything a forward pass can show, in computing order.
#include "analysis/model/sites.h"

#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"

namespace varve {
namespace {

using Axes = std::vector<std::string>;

void add_attention_sites(const ModelSpec& spec, const std::string& block, std::vector<SiteInfo>& sites) {
  const std::string attn = block + "attn.";
  // Grouped keys have their own axis: arrays that share an axis name share its extent.
  const std::string kv_head = spec.kv_heads == spec.heads ? "head" : "kv_head";
  const Axes heads = {"pos", "head", "d_head"}, kv_heads = {"pos", kv_head, "d_head"};
  sites.push_back({attn + "q", heads});
  sites.push_back({attn + "k", kv_heads});
  sites.push_back({attn + "v", kv_heads});
  if (spec.positions == Positions::rotary) {
    sites.push_back({attn + "rot_q", heads});
    sites.push_back({attn + "rot_k", kv_heads});
  }
  sites.push_back({attn + "scores", {"head", "query", "key"}});
  sites.push_back({attn + "pattern", {"head", "query", "key"}});
  sites.push_back({attn + "z", heads});
  sites.push_back({attn + "result", {"pos", "head", "d_model"}});
}

void add_mlp_sites(const ModelSpec& spec, int64_t layer, const std::string& block,
                   std::vector<SiteInfo>& sites) {
  if (!is_sparse(spec, layer)) {
    sites.push_back({block + "mlp.pre", {"pos", "d_mlp"}});
    sites.push_back({block + "mlp.post", {"pos", "d_mlp"}});
    return;
  }
  sites.push_back({block + "router.logits", {"pos", "expert"}});
  sites.push_back({block + "router.probs", {"pos", "expert"}});
  sites.push_back({block + "router.topk_indices", {"pos", "rank"}});
  sites.push_back({block + "router.topk_weights", {"pos", "rank"}});
  if (spec.shared_gate) sites.push_back({block + "router.shared_gate", {"pos"}});
}

}  // namespace

Compute compute_from(const std::string& name) {
  if (name == "f32") return Compute::f32;
  if (name == "f64") return Compute::f64;
  if (name == "bf16") return Compute::bf16;
  fail_usage("there is no compute mode '{}'; there are: f32, f64, bf16", name);
}

std::string name_of(Compute compute) {
  if (compute == Compute::bf16) return "bf16";
  return compute == Compute::f32 ? "f32" : "f64";
}

std::vector<SiteInfo> sites_of(const ModelSpec& spec) {
  const Axes stream = {"pos", "d_model"};
  std::vector<SiteInfo> sites = {{"embed", stream}};
  if (spec.positions == Positions::learned) sites.push_back({"pos_embed", stream});
  for (int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}.", layer);
    sites.push_back({block + "resid_pre", stream});
    if (spec.attention) {
      if (spec.pre_norm) sites.push_back({block + "ln1.normalized", stream});
      add_attention_sites(spec, block, sites);
      sites.push_back({block + "attn.out", stream});
      sites.push_back({block + "attn_out", stream});
      sites.push_back({block + "resid_mid", stream});
    }
    if (spec.mlp) {
      if (spec.pre_norm && !spec.shared_parallel_norm) sites.push_back({block + "ln2.normalized", stream});
      add_mlp_sites(spec, layer, block, sites);
      sites.push_back({block + "mlp.out", stream});
      sites.push_back({block + "mlp_out", stream});
    }
    sites.push_back({block + "resid_post", stream});
  }
  sites.push_back({"ln_final.normalized", stream});
  sites.push_back({"logits", {"pos", "vocab"}});
  return sites;
}

std::string plain_site(const std::string& name) {
  static const std::string hook = "hook_";
  std::string plain;
  for (size_t i = 0; i < name.size();) {
    const bool begins = i == 0 || name[i - 1] == '.';
    if (begins && name.compare(i, hook.size(), hook) == 0)
      i += hook.size();
    else
      plain += name[i++];
  }
  return plain;
}

std::vector<std::string> select_sites(const ModelSpec& spec, const std::vector<std::string>& globs) {
  const std::vector<SiteInfo> sites = sites_of(spec);
  std::vector<bool> selected(sites.size(), false);
  for (const std::string& glob : globs) {
    const std::string plain = plain_site(glob);
    bool any = false;
    for (size_t i = 0; i < sites.size(); ++i)
      if (glob_match(plain, sites[i].name)) any = selected[i] = true;
    if (any) continue;
    std::vector<std::string> names;
    for (const SiteInfo& site : sites) names.push_back(site.name);
    fail_usage("no site of this {}-layer model matches '{}'; did you mean '{}'?", spec.layers, glob,
               nearest(plain, names));
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < sites.size(); ++i)
    if (selected[i]) names.push_back(sites[i].name);
  return names;
}

int64_t site_extent(const ModelSpec& spec, const std::string& axis, int64_t prompt_length) {
  const std::map<std::string, int64_t> extents = {{"pos", prompt_length},
                                                  {"query", prompt_length},
                                                  {"key", prompt_length},
                                                  {"d_model", spec.d_model},
                                                  {"head", spec.heads},
                                                  {"kv_head", spec.kv_heads},
                                                  {"d_head", spec.d_head},
                                                  {"d_mlp", spec.d_mlp},
                                                  {"vocab", output_vocab(spec)},
                                                  {"expert", spec.experts},
                                                  {"rank", spec.experts_per_token}};
  const auto found = extents.find(axis);
  if (found == extents.end()) fail("no site has an axis '{}'", axis);
  return found->second;
}

SiteDesk::SiteDesk(const ModelSpec& spec, std::span<SiteReader* const> readers, int64_t first_prompt,
                   int64_t first_layer)
    : first_prompt_(first_prompt) {
  int64_t layer = -1;  // of the sites in computing order; what follows the blocks needs all of them
  for (const SiteInfo& site : sites_of(spec)) {
    if (site.name.starts_with(fmt::format("blocks.{}.", layer + 1))) ++layer;
    const bool outside = site.name.starts_with("ln_final") || site.name == "logits";
    if (!outside && layer < first_layer) continue;
    for (SiteReader* reader : readers)
      if (reader->wants(site.name)) {
        last_layer_ = layer;
        Wanted& wanted = wanted_[site.name];
        wanted.axes = site.axes;
        wanted.readers.push_back(reader);
      }
  }
  left_ = static_cast<int64_t>(wanted_.size());
}

}  // namespace varve
