// The attention of a block: projections, rotation, patterns and their mix of values.
#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/model/kernels.h"
#include "analysis/model/pass.h"

namespace varve {

template <class T>
void Pass<T>::attention() {
  if (spec_.pre_norm) {
    normed("ln1", resid_, normed_);
    show_stream("ln1.normalized", normed_);
    if (desk_.finished()) return;
  }
  const std::vector<T>& input = spec_.pre_norm ? normed_ : resid_;
  project(input, "q", "Q", spec_.heads, q_);
  if (!desk_.finished()) project(input, "k", "K", spec_.kv_heads, k_);
  if (!desk_.finished()) project(input, "v", "V", spec_.kv_heads, v_);
  stage();
  if (desk_.finished()) return;
  if (spec_.positions == Positions::rotary) {
    rotate(spec_.heads, q_);
    show(named("attn.rot_q"), {spec_.heads, spec_.d_head}, q_);
    rotate(spec_.kv_heads, k_);
    show(named("attn.rot_k"), {spec_.kv_heads, spec_.d_head}, k_);
  }
  const AttentionPlan plan = attention_plan(spec_, layer_);
  z_.resize(q_.size());
  if (changes_.any(named("attn.scores")) || changes_.any(named("attn.pattern"))) {
    attend_through_matrices(plan);
  } else {
    show_matrices("attn.scores", Attended::scores, plan);
    show_matrices("attn.pattern", Attended::pattern, plan);
    if (desk_.finished()) return;
    attend(spec_, plan, begin_, q_.data(), k_.data(), v_.data(), z_.data(), task_);
  }
  if (desk_.finished()) return;
  show(named("attn.z"), {spec_.heads, spec_.d_head}, z_);
  stage();
  const std::vector<T> added = changes_.any(named("attn.result")) ? changed_results() : std::vector<T>{};
  if (added.empty()) show_results();
  if (desk_.finished()) return;
  apply("attn.W_O", "attn.b_O", spec_.heads * spec_.d_head, z_, spec_.d_model, out_);
  if (!added.empty()) add_to(out_.data(), added.data(), rows_ * spec_.d_model);
  show_module("attn.out", "attn_out", "ln1_post");
  stage();
}

// q, k, v are shown after bias, norm and clipping, before rotation.
template <class T>
void Pass<T>::project(const std::vector<T>& input, const std::string& site, const std::string& letter,
                      int64_t heads, std::vector<T>& out) {
  const int64_t width = heads * spec_.d_head;
  apply("attn.W_" + letter, "attn.b_" + letter, spec_.d_model, input, width, out);
  if (letter != "V" && (spec_.qk_norm_full || spec_.qk_norm_per_head)) {
    const std::string name = named(("attn." + site + "_norm").c_str());
    NormWeights<T> norm{spec_.norm, spec_.norm_eps, vector_of<T>(weights_, name + ".w"),
                        vector_if_any<T>(weights_, name + ".b")};
    for (T& gain : norm.gain) gain += static_cast<T>(spec_.norm_offset);
    const int64_t span = spec_.qk_norm_full ? width : spec_.d_head;
    norm_rows(norm, out.data(), rows_ * width / span, span, out.data());
  }
  if (spec_.clip_qkv > 0) {
    const T most = static_cast<T>(spec_.clip_qkv);
    for (T& value : out) value = std::clamp(value, -most, most);
  }
  show(named(("attn." + site).c_str()), {heads, spec_.d_head}, out);
}

template <class T>
void Pass<T>::rotate(int64_t heads, std::vector<T>& rows) {
  constexpr int64_t chunk = 32;
  parallel_for((rows_ + chunk - 1) / chunk, [&](int64_t piece, int) {
    const int64_t end = std::min(rows_, (piece + 1) * chunk);
    for (int64_t row = piece * chunk; row < end; ++row) {
      const size_t at = static_cast<size_t>(row);
      rotate_row(*table_of_prompt_[prompt_of_[at]], position_of_[at], heads, spec_.d_head,
                 rows.data() + row * heads * spec_.d_head);
    }
  });
}

// Whole score or pattern matrices, of one prompt at a time: they are the largest thing there is.
template <class T>
void Pass<T>::show_matrices(const char* part, Attended what, const AttentionPlan& plan) {
  const std::string name = named(part);
  if (!desk_.wanted(name)) return;
  std::vector<T> matrix;
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    const int64_t length = begin_[prompt + 1] - begin_[prompt];
    matrix.resize(static_cast<size_t>(spec_.heads * length * length));
    attention_matrix(spec_, plan, what, length, q_.data() + begin_[prompt] * spec_.heads * spec_.d_head,
                     k_.data() + begin_[prompt] * spec_.kv_heads * spec_.d_head, matrix.data(), task_);
    desk_.show(name, layer_, static_cast<int64_t>(prompt), {spec_.heads, length, length}, matrix.data());
    task_.step(stage_, stages_);
  }
  desk_.shown();
}

// Each head's own z W_O, without the bias they share.
template <class T>
void Pass<T>::show_results() {
  const std::string name = named("attn.result");
  if (!desk_.wanted(name)) return;
  const int64_t width = spec_.heads * spec_.d_head, wide = spec_.heads * spec_.d_model;
  const Matrix w = matrix_of(weights_, named("attn.W_O"), spec_.d_model, width);
  std::vector<T> result;
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    const int64_t length = begin_[prompt + 1] - begin_[prompt];
    const std::vector<int64_t> alone = {0, length};
    result.resize(static_cast<size_t>(length * wide));
    for (int64_t head = 0; head < spec_.heads; ++head)
      linear<T>({z_.data() + begin_[prompt] * width + head * spec_.d_head, width}, alone,
                columns_of(w, head * spec_.d_head, spec_.d_head), {},
                {result.data() + head * spec_.d_model, wide}, task_, compute_);
    desk_.show(name, layer_, static_cast<int64_t>(prompt), {length, spec_.heads, spec_.d_model},
               result.data());
    task_.step(stage_, stages_);
  }
  desk_.shown();
}

// Scores and patterns that are changed exist as whole matrices, of all prompts at once: a change may read
// those of another prompt. The products are those of `attend`, so that no change changes no bit.
template <class T>
void Pass<T>::attend_through_matrices(const AttentionPlan& plan) {
  const std::string scores = named("attn.scores"), pattern = named("attn.pattern");
  SiteBuffer<T> buffer;
  std::vector<int64_t> at = {0};
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    const int64_t length = begin_[prompt + 1] - begin_[prompt];
    buffer.shapes.push_back({spec_.heads, length, length});
    at.push_back(at.back() + spec_.heads * length * length);
  }
  std::vector<T> matrices(static_cast<size_t>(at.back()));
  buffer.values = matrices.data();
  const auto show_all = [&](const std::string& name) {
    changes_.apply(name, buffer);
    if (!desk_.wanted(name)) return;
    for (size_t prompt = 0; prompt < buffer.shapes.size(); ++prompt)
      desk_.show(name, layer_, static_cast<int64_t>(prompt), buffer.shapes[prompt],
                 matrices.data() + at[prompt]);
    desk_.shown();
  };
  const auto each_prompt = [&](const auto& body) {
    for (size_t prompt = 0; prompt < buffer.shapes.size(); ++prompt) {
      body(prompt, buffer.shapes[prompt].back(), matrices.data() + at[prompt]);
      task_.step(stage_, stages_);
    }
  };
  each_prompt([&](size_t prompt, int64_t length, T* matrix) {
    attention_matrix(spec_, plan, Attended::scores, length,
                     q_.data() + begin_[prompt] * spec_.heads * spec_.d_head,
                     k_.data() + begin_[prompt] * spec_.kv_heads * spec_.d_head, matrix, task_);
  });
  show_all(scores);
  if (desk_.finished()) return;
  each_prompt([&](size_t, int64_t length, T* matrix) { pattern_of_scores(plan, length, matrix); });
  show_all(pattern);
  if (desk_.finished()) return;
  each_prompt([&](size_t prompt, int64_t length, const T* matrix) {
    mix_values(spec_, plan, length, matrix, v_.data() + begin_[prompt] * spec_.kv_heads * spec_.d_head,
               z_.data() + begin_[prompt] * spec_.heads * spec_.d_head);
  });
}

// What changed head results add to the module's output.
template <class T>
std::vector<T> Pass<T>::changed_results() {
  const std::string name = named("attn.result");
  const int64_t width = spec_.heads * spec_.d_head, wide = spec_.heads * spec_.d_model;
  const Matrix w = matrix_of(weights_, named("attn.W_O"), spec_.d_model, width);
  std::vector<T> results = buffer(wide), added = buffer(spec_.d_model);
  for (int64_t head = 0; head < spec_.heads; ++head)
    linear<T>({z_.data() + head * spec_.d_head, width}, begin_,
              columns_of(w, head * spec_.d_head, spec_.d_head), {},
              {results.data() + head * spec_.d_model, wide}, task_, compute_);
  const std::vector<T> before = results;
  show(name, {spec_.heads, spec_.d_model}, results);
  for (int64_t row = 0; row < rows_; ++row)
    for (int64_t i = 0; i < wide; ++i)
      added[static_cast<size_t>(row * spec_.d_model + i % spec_.d_model)] +=
          results[static_cast<size_t>(row * wide + i)] - before[static_cast<size_t>(row * wide + i)];
  return added;
}

template void Pass<float>::attention();
template void Pass<double>::attention();

}  // namespace varve
