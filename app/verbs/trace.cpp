// varve trace: the activations of one checkpoint at the sites asked for, as one HDF5 file.
#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/error.h"
#include "analysis/core/read_ahead.h"
#include "analysis/core/text.h"
#include "analysis/estimate.h"
#include "analysis/model/backward.h"
#include "analysis/model/compute_error.h"
#include "analysis/model/forward.h"
#include "analysis/store/run_store.h"
#include "app/console/budget.h"
#include "app/console/json_text.h"
#include "app/console/probe_options.h"
#include "app/console/source.h"
#include "app/verbs/verb.h"

namespace varve {
namespace {

struct Request {
  std::filesystem::path source, output;
  std::optional<int64_t> step;
  std::string branch = "main", compute = "f32", grad_of;
  std::vector<std::string> sites, patches;
  ProbeOptions probes;
  bool dry = false;
};

// Hands every wanted site to the file as it streams by, so that none is held.
class TraceReader : public SiteReader {
 public:
  TraceReader(TraceFile& file, const std::vector<std::string>& sites)
      : file_(file), wanted_(sites.begin(), sites.end()) {}
  bool wants(const std::string& site) const override { return wanted_.count(site) > 0; }
  void see(const Site& site) override {
    if (site.f64.empty())
      file_.write(site.name, site.prompt, site.shape, site.f32);
    else
      file_.write(site.name, site.prompt, site.shape, site.f64);
  }

 private:
  TraceFile& file_;
  std::set<std::string> wanted_;
};

std::vector<std::string> chosen_sites(const ModelSpec& spec, const std::vector<std::string>& lists) {
  std::vector<std::string> globs;
  for (const std::string& list : lists)
    for (const std::string& glob : split(list, ','))
      if (!glob.empty()) globs.push_back(plain_site(glob));
  if (globs.empty()) fail_usage("--sites names no site; try --sites 'blocks.*.resid_post,logits'");
  return select_sites(spec, globs);
}

void declare(TraceFile& file, const ModelSpec& spec, const SiteInfo& site, const Probes& probes) {
  std::vector<std::string> axes = {"prompt"};
  std::vector<int64_t> shape = {static_cast<int64_t>(probes.prompts.size())};
  for (const std::string& axis : site.axes) {
    axes.push_back(axis);
    shape.push_back(site_extent(spec, axis, probes.longest()));
  }
  file.declare(site.name, axes, shape);
}

void declare_sites(TraceFile& file, const ModelSpec& spec, const std::vector<std::string>& sites,
                   const Probes& probes) {
  const std::set<std::string> wanted(sites.begin(), sites.end());
  for (const SiteInfo& site : sites_of(spec)) {
    if (wanted.count(site.name) == 0) continue;
    declare(file, spec, site, probes);
  }
}

// The largest thing held for one prompt beside the stream: an array made only to be shown, and the slab that
// a shorter prompt is laid into.
int64_t largest_site(const ModelSpec& spec, const std::vector<std::string>& sites, const Probes& probes,
                     Compute compute) {
  const std::set<std::string> wanted(sites.begin(), sites.end());
  const bool ragged = std::any_of(probes.prompts.begin(), probes.prompts.end(), [&](const auto& prompt) {
    return static_cast<int64_t>(prompt.size()) < probes.longest();
  });
  int64_t largest = 0;
  for (const SiteInfo& site : sites_of(spec)) {
    if (wanted.count(site.name) == 0) continue;
    int64_t bytes = compute == Compute::f64 ? 8 : 4;
    for (const std::string& axis : site.axes) bytes *= site_extent(spec, axis, probes.longest());
    const bool made = site.name == "logits" || site.name.ends_with(".scores") ||
                      site.name.ends_with(".pattern") || site.name.ends_with(".result");
    largest = std::max(largest, bytes * ((made ? 1 : 0) + (ragged ? 1 : 0)));
  }
  return largest;
}

int64_t last_layer(const ModelSpec& spec, const std::vector<std::string>& sites) {
  int64_t last = -1;
  for (const std::string& site : sites) {
    const std::vector<std::string> parts = split(site, '.');
    if (parts[0] == "blocks") last = std::max<int64_t>(last, std::stoll(parts[1]));
    if (parts[0] == "ln_final") last = std::max(last, spec.layers - 1);
    if (parts[0] == "logits") last = spec.layers;
  }
  return last;
}

Estimate estimate_trace(const OpenedCheckpoint& opened, const std::vector<std::string>& sites,
                        const Probes& probes, const MemoryPlan& memory) {
  const int64_t last = last_layer(opened.weights->spec(), sites);
  Estimate estimate;
  estimate.cells_to_compute = 1;
  estimate.passes = static_cast<int64_t>(memory.blocks.size());
  estimate.bytes_to_read = estimate.passes * forward_bytes(opened.record, probes, last);
  estimate.flops = forward_flops(opened.record, probes, last);
  estimate.peak_bytes = memory.peak;
  estimate.speed = measure_speed(*opened.weights);
  estimate.seconds = seconds_of(estimate.flops, estimate.bytes_to_read, estimate.speed);
  return estimate;
}

// The changes asked for, which must name prompts there are.
Interventions changes_asked(const ModelSpec& spec, const std::vector<std::string>& patches,
                            const Probes& probes) {
  Interventions changes;
  const auto prompts = static_cast<int64_t>(probes.prompts.size());
  for (const std::string& patch : patches) {
    const Intervention change = intervention_from(spec, patch);
    const auto named = change.where.find("prompt");
    const int64_t prompt = named == change.where.end() ? 0 : named->second;
    if (prompt >= prompts || change.from_prompt >= prompts)
      fail_usage("--patch '{}' names prompt {}, but there are prompts 0 to {}", patch,
                 std::max(prompt, change.from_prompt), prompts - 1);
    changes.push_back(change);
  }
  return changes;
}

// Of every chosen site that has one, under its name with `grad.` in front.
std::vector<SiteInfo> gradients_asked(const ModelSpec& spec, const std::vector<std::string>& sites) {
  const std::set<std::string> wanted(sites.begin(), sites.end());
  std::vector<SiteInfo> gradients;
  for (const SiteInfo& site : gradient_sites_of(spec))
    if (wanted.count(site.name.substr(5)) > 0) gradients.push_back(site);
  return gradients;
}

// kl: from the unchanged run, at the last position.
std::unique_ptr<Metric> metric_asked(const std::string& name, const Weights& weights, const Probes& probes,
                                     Compute compute, Task& task) {
  if (name != "kl") return metric_from(name, probes, output_vocab(weights.spec()));
  std::vector<int64_t> last;
  for (const auto& prompt : probes.prompts) last.push_back(static_cast<int64_t>(prompt.size()) - 1);
  return divergence_metric(answer_logits(weights, probes, compute, last, task), last);
}

// Means and resampling read other prompts of the same pass.
void keep_in_one_pass(const Interventions& changes, const MemoryPlan& memory) {
  if (memory.blocks.size() < 2) return;
  for (const Intervention& change : changes)
    if (change.change == Change::mean || change.change == Change::resample)
      fail_budget(
          "a mean or another prompt's values at {} need all prompts in one pass, and --max-memory allows {} "
          "passes only; give more memory or fewer prompts",
          change.site, memory.blocks.size());
}

int trace(const Request& request, Console& console) {
  if (request.output.empty() && !request.dry)
    fail_usage("-o OUT.h5 is missing: which file shall be written? See 'varve trace --help'.");
  const Compute compute = compute_mode(request.compute);
  const OpenedCheckpoint opened = open_checkpoint(request.source, request.step, request.branch);
  const ModelSpec& spec = opened.weights->spec();
  const std::vector<std::string> sites = chosen_sites(spec, request.sites);
  const Probes probes = read_probes(request.probes, opened.tokenizer, spec.vocab, console);
  check_probes(probes, spec.vocab, spec.context);
  const Interventions changes = changes_asked(spec, request.patches, probes);
  const int64_t budget = budget_of(console);
  MemoryNeed need;
  need.checkpoint = &opened.record;
  need.probes = &probes;
  need.compute = compute;
  need.largest_site = largest_site(spec, sites, probes, compute);
  MemoryPlan memory;
  fit_threads(console, [&] { memory = plan_memory(need, budget); });
  keep_in_one_pass(changes, memory);
  if (!request.grad_of.empty() && memory.blocks.size() > 1)
    fail_budget(
        "--grad-of needs all prompts in one pass, and --max-memory allows {} passes only; give more "
        "memory or fewer prompts",
        memory.blocks.size());
  if (request.dry) {
    const Estimate estimate = estimate_trace(opened, sites, probes, memory);
    console.print(console.json ? json_text(estimate_json(estimate, budget))
                               : estimate_text(estimate, budget));
    return 0;
  }
  console.kept = fmt::format("{} was not written", request.output.string());
  console.task.doing(fmt::format("step {}, {} sites", opened.record.step, sites.size()));

  TraceFile file(request.output);
  declare_sites(file, spec, sites, probes);
  file.add("tokens", token_array(probes));
  file.add("lengths", length_array(probes));
  std::vector<std::string> gradients;
  if (!request.grad_of.empty())
    for (const SiteInfo& site : gradients_asked(spec, sites)) {
      declare(file, spec, site, probes);
      gradients.push_back(site.name);
    }
  TraceReader reader(file, sites);
  SiteReader* const readers[] = {&reader};
  Weights weights = *opened.weights;
  weights.set_frugal(memory.frugal);
  ReadAhead ahead;
  for (size_t i = 0; i < memory.blocks.size(); ++i) {
    const double from = static_cast<double>(i), all = static_cast<double>(memory.blocks.size());
    Task part = console.task.part(from / all, (from + 1) / all);
    forward(weights, prompts_of(probes, memory.blocks[i]), compute, readers, part,
            {memory.blocks[i].first, &ahead, {}}, changes);
  }
  if (!request.grad_of.empty()) {
    const auto metric = metric_asked(request.grad_of, weights, probes, compute, console.task);
    TraceReader back(file, gradients);
    SiteReader* const back_readers[] = {&back};
    backward(weights, probes, compute, *metric, back_readers, console.task, changes);
    file.attribute("grad_of", request.grad_of);
  }
  file.attribute("source", opened.record.source);
  file.attribute("step", std::to_string(opened.record.step));
  file.attribute("branch", opened.record.branch);
  file.attribute("compute", name_of(compute));
  if (compute == Compute::bf16) {
    const std::string error = sentence(compute_error(*opened.weights, probes, compute, console.task));
    file.attribute("compute_error", error);
    console.task.note(error);
  }
  if (!request.patches.empty())
    file.attribute("patches", fmt::format("{}", fmt::join(request.patches, "; ")));
  file.attribute("probes", probes.name);
  file.attribute("probe_digest", probes.digest());
  file.attribute("varve", VARVE_VERSION);
  file.publish();

  if (console.json)
    console.print(json_text(Json{{"output", request.output.string()},
                                 {"step", opened.record.step},
                                 {"sites", sites},
                                 {"prompts", probes.prompts.size()},
                                 {"longest", probes.longest()},
                                 {"compute", name_of(compute)}}));
  else
    console.print(fmt::format("{}: {} sites of {} prompts at step {}, {}", request.output.string(),
                              sites.size(), probes.prompts.size(), opened.record.step, name_of(compute)));
  return 0;
}

}  // namespace

void add_trace(VerbCatalog& catalog) {
  catalog.add(
      {"trace", "write the activations of one checkpoint to a file",
       "varve trace pythia-70m.varve --step 1000 --text 'Hello world' --sites 'blocks.*.resid_post' -o "
       "hello.h5",
       [](CLI::App& command) {
         auto request = std::make_shared<Request>();
         command.add_option("SOURCE", request->source, "a store or a model folder")->required();
         command.add_option("--step", request->step, "which checkpoint; the last by default")->type_name("N");
         command.add_option("--branch", request->branch, "of which branch (main)")->type_name("NAME");
         add_probe_options(command, request->probes);
         add_repeated(command, "--sites", request->sites,
                      "sites to write, as in 'blocks.*.attn.pattern,logits'")
             ->required()
             ->type_name("GLOB,GLOB");
         add_repeated(command, "--patch", request->patches,
                      "change an activation: 'blocks.1.attn.z[head=3,pos=-1]=zero'; WHAT is a number, "
                      "+number, xFACTOR, zero, mean or prompt:N; may be repeated")
             ->type_name("SITE[INDEX]=WHAT");
         command
             .add_option(
                 "--grad-of", request->grad_of,
                 "also write each site's gradient, as grad.SITE: logit_diff:A,B@POS, logit:T@POS, nll or kl")
             ->type_name("METRIC");
         command.add_option("--compute", request->compute, "f32 (default), f64, or bf16 with its error")
             ->type_name("MODE");
         command.add_flag("--dry-run", request->dry, "only say what it would read, compute, hold and take");
         command.add_option("-o,--output", request->output, "the file to write")->type_name("OUT.h5");
         return [request](Console& console) { return trace(*request, console); };
       }});
}

}  // namespace varve
