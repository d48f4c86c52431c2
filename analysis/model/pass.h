// One forward pass under way: its buffers, and the order in which a block fills them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/attention.h"
#include "analysis/model/changes.h"
#include "analysis/model/forward.h"
#include "analysis/model/moe.h"
#include "analysis/model/rope.h"
#include "analysis/model/sites.h"

namespace varve {

// Ragged buffers hold the rows of all prompts one after the other.
template <class T>
class Pass {
 public:
  Pass(const Weights& weights, const Probes& probes, Compute compute, SiteDesk& desk, Task& task,
       const Pace& pace, const Changes& changes, const Start& start);
  void run();

 private:
  static constexpr int64_t stages_per_layer = 6;

  void want_next();
  void give_back(std::initializer_list<std::vector<T>*> buffers) {
    for (std::vector<T>* buffer : buffers) std::vector<T>().swap(*buffer);
  }
  std::string named(const char* part) const { return fmt::format("blocks.{}.{}", layer_, part); }
  std::vector<T> buffer(int64_t width) const { return std::vector<T>(static_cast<size_t>(rows_ * width)); }
  void stage();

  // values [rows, rest...], changed and then shown.
  void show(const std::string& name, const std::vector<int64_t>& rest, std::vector<T>& values,
            const T* chosen = nullptr);
  void show_stream(const char* part, std::vector<T>& values) {
    show(layer_ < 0 ? part : named(part), {spec_.d_model}, values);
  }
  void apply(const std::string& w, const std::string& b, int64_t columns, const std::vector<T>& x,
             int64_t rows, std::vector<T>& out);
  void apply_if_any(const std::string& w, const std::string& b, int64_t columns, const std::vector<T>& x,
                    int64_t rows, std::vector<T>& out);
  void normed(const char* name, const std::vector<T>& x, std::vector<T>& out);

  void embed();
  void take_start();
  void make_rope_tables();
  void block();
  void take_in(const char* sum_norm);
  void show_module(const char* module_site, const char* stream_site, const char* post_norm);
  void unembed_rows(const Unembed& unembed, int64_t prompt, T* logits);
  void finish_changed(const Unembed& unembed);
  void finish();

  void attention();
  void project(const std::vector<T>& input, const std::string& site, const std::string& letter, int64_t heads,
               std::vector<T>& out);
  void rotate(int64_t heads, std::vector<T>& rows);
  void show_matrices(const char* part, Attended what, const AttentionPlan& plan);
  void attend_through_matrices(const AttentionPlan& plan);
  void show_results();
  std::vector<T> changed_results();
  void mlp();
  void check_indices(const std::vector<T>& indices);
  void experts();

  const Weights& weights_;
  const ModelSpec& spec_;
  const Probes& probes_;
  Compute compute_;
  SiteDesk& desk_;
  Task& task_;
  const Pace& pace_;
  const Changes& changes_;
  const Start& start_;
  int64_t stages_ = 0, stage_ = 0, layer_ = -1, rows_ = 0;
  std::vector<int64_t> begin_ = {0}, position_of_;
  std::vector<size_t> prompt_of_;
  std::map<int64_t, RopeTable<T>> tables_;  // by prompt length
  std::vector<const RopeTable<T>*> table_of_prompt_;
  std::vector<T> resid_, normed_, mlp_input_, q_, k_, v_, z_, hidden_, factor_, out_;
};

}  // namespace varve
