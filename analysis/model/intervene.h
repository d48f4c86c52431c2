// Interventions: what a forward puts in the place of an activation, as data.
//
//   {.site = "blocks.3.attn.z", .change = Change::zero, .where = {{"head", 1}}}
//   {.site = "blocks.2.resid_post", .change = Change::mean, .where = {{"pos", -1}, {"neuron", 17}}}
//   {.site = "blocks.5.router.topk_weights", .change = Change::zero, .where = {{"expert", 3}}}
// Laws: setting what the run has itself, adding 0, scaling by 1 and resampling from the prompt itself change
// no bit.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/model/spec.h"

namespace varve {

// mean: over the pass's prompts and positions, before any change; a site without a `pos` axis (scores,
// pattern) is averaged over prompts, which must then be equally long. resample: what another prompt of the
// same pass has at the same place, before any change.
enum class Change { set, add, scale, zero, mean, resample };

struct Intervention {
  std::string site;  // as in sites_of; the spelling with hook_ is accepted
  Change change = Change::zero;
  // Axis -> index; negative counts from the end; an axis that is not named: all of it. Every site has
  // `prompt` besides its own axes; `neuron` is the last axis. At router.topk_weights `expert` selects the
  // ranks that chose it: zeroing them leaves the routing of the others alone, whereas router.logits routes
  // anew.
  std::map<std::string, int64_t> where = {};
  double number = 0;  // the factor of scale; set and add where `values` is empty
  // set, add: laid over the selected part in its order, again and again where it is shorter (a [d_model]
  // vector at every position).
  std::vector<double> values = {};
  int64_t from_prompt = -1;  // resample
};
using Interventions = std::vector<Intervention>;

// "SITE[INDEX]=WHAT" as a command line has it. INDEX: name=index pairs, or indices in the order of a trace's
// axes (prompt first) with ':' for all; WHAT: a number, +number, x number, zero, mean, prompt:N.
Intervention intervention_from(const ModelSpec& spec, const std::string& text);

// Throws Error (usage) naming the nearest site or axis where one does not fit the model.
void check(const ModelSpec& spec, const Interventions& changes);

}  // namespace varve
