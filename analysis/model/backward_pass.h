// One backward pass under way: the gradient of the stream, and what a layer had inside.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "analysis/model/attention_backward.h"
#include "analysis/model/backward.h"
#include "analysis/model/backward_parts.h"
#include "analysis/model/changes.h"
#include "analysis/model/forward.h"
#include "analysis/model/moe.h"
#include "analysis/model/rope.h"

namespace varve {

template <class T>
class BackwardPass {
 public:
  BackwardPass(const Weights& weights, const Probes& probes, Compute compute, const Metric& metric,
               std::span<SiteReader* const> readers, Task& task, const Interventions& interventions,
               ParameterReader* parameters, int64_t keep_bytes);
  std::vector<double> run();

 private:
  using Values = std::vector<T>;

  std::string named(const std::string& part) const { return fmt::format("blocks.{}.{}", layer_, part); }
  Values buffer(int64_t width) const { return Values(static_cast<size_t>(rows_ * width), T{0}); }
  NormWeights<T> norm(const std::string& name) const { return norm_weights<T>(weights_, name); }

  // What the layer had, as readers of the forward see it.
  const Values& had(const std::string& part) const;
  // The same where only the parameters' own gradients read it, and nothing where nobody wants those.
  const Values& had_for_parameters(const std::string& part) const;
  bool looks_into_attention() const;
  void recompute_layer();
  void keep_streams();

  // Shows the gradient at a site and takes it back through whatever was changed there.
  bool wanted(const std::string& site) const;
  void meet(const std::string& site, const std::vector<int64_t>& rest, Values& gradient,
            const T* chosen = nullptr);
  void meet_stream(const std::string& part, Values& gradient) {
    meet(named(part), {spec_.d_model}, gradient);
  }
  void show_one(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape, const T* values);
  bool wants_parameter(const std::string& name) const;
  void give(const std::string& name, const std::vector<int64_t>& shape, const Values& values);

  // dx of x = in W' + b, with the parameters' own gradients given away.
  Values through_matrix(const std::string& w, const std::string& b, const Values& x, int64_t inputs,
                        const Values& dy, int64_t outputs);
  void through_norm(const std::string& name, const Values& x, const Values& g, Values& dx);

  struct Answers;
  void output_back();
  void answers_back(const Unembed& unembed, const Answers& answers, Values& u_grown, Values& b_grown,
                    NormGradients<T>* norm_grown);
  void show_answers(const char* site, const Answers& answers, const Values& rows, int64_t width);
  void block_back();
  void module_back(const char* stream_site, const char* module_site, const char* post_norm, Values& g);
  void sum_norm_back(const char* before, const char* out_site, const char* name);
  const Values& attention_input() const { return had(spec_.pre_norm ? "ln1.normalized" : "resid_pre"); }
  Values attention_back(Values g);
  Values projections_back(AttentionGradients<T> gradients);
  Values raw_projection(const std::string& letter, int64_t heads) const;
  NormWeights<T> projection_norm(const std::string& site) const;
  Values by_kv_head(const Values& expanded) const;
  Values project_back(const std::string& site, const std::string& letter, int64_t heads, Values g);
  void head_inputs_back(const AttentionGradients<T>& gradients);
  void head_input_back(const std::string& site, const std::string& letter, const Values& g);
  void rotate_back(int64_t heads, Values& rows) const;
  AttentionGradients<T> patterns_back(const Values& dz);
  Values results_back(const Values& g);
  Values mlp_back(Values g);
  const Values& mlp_input() const;
  Values dense_back(const Values& g);
  Values experts_back(const Values& g);
  Values expert_back(const std::string& name, int64_t hidden, const Values& x, Values dy,
                     const Values& weight, Values& dweight);
  Values router_back(Values& dweights);
  void give_nothing(const std::string& name, int64_t hidden);
  void embedding_back();
  void make_rope_tables();

  const Weights& weights_;
  const ModelSpec& spec_;
  const Probes& probes_;
  Compute compute_;
  const Metric& metric_;
  std::vector<SiteReader*> readers_;
  Task& task_;
  const Interventions& interventions_;
  Changes changes_;
  ParameterReader* parameters_;
  std::map<std::string, std::vector<std::string>> axes_;  // of every gradient site
  int64_t layer_ = 0, rows_ = 0;
  std::vector<int64_t> begin_ = {0}, position_of_;
  std::vector<size_t> prompt_of_;
  std::vector<Values> streams_;               // after block l - 1, before any change at block l
  std::map<std::string, Values> had_, kept_;  // of this layer; of layers from first_kept_ on
  int64_t keep_bytes_ = 0, first_kept_ = 0;
  std::map<int64_t, RopeTable<T>> tables_;
  std::vector<const RopeTable<T>*> table_of_prompt_;
  Values gradient_;     // of the stream
  Values table_grown_;  // what a tied or plain embedding table receives, [vocab, d_embed]
  std::vector<double> metrics_;
};

}  // namespace varve
