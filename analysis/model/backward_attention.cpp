// The way back through the attention of a block, and to the inputs of single heads.
#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/model/backward_pass.h"

namespace varve {

template <class T>
std::vector<T> BackwardPass<T>::attention_back(Values g) {
  const int64_t width = spec_.heads * spec_.d_head;
  if (wanted(named("attn.result")) || changes_.any(named("attn.result"))) {
    g = results_back(g);
  } else {
    g = through_matrix("attn.W_O", "attn.b_O", had_for_parameters("attn.z"), width, g, spec_.d_model);
  }
  meet(named("attn.z"), {spec_.heads, spec_.d_head}, g);
  const bool whole = had_.count(named("attn.pattern")) > 0;
  if (whole) return projections_back(patterns_back(g));
  const bool turned = spec_.positions == Positions::rotary;
  return projections_back(
      attend_back(spec_, attention_plan(spec_, layer_), begin_, had(turned ? "attn.rot_q" : "attn.q").data(),
                  had(turned ? "attn.rot_k" : "attn.k").data(), had("attn.v").data(), g.data(), task_));
}

// Every head's own output receives what their sum does.
template <class T>
std::vector<T> BackwardPass<T>::results_back(const Values& g) {
  const int64_t d = spec_.d_head, width = spec_.heads * d, wide = spec_.heads * spec_.d_model;
  Values each = buffer(wide), dz = buffer(width);
  for (int64_t row = 0; row < rows_; ++row)
    for (int64_t head = 0; head < spec_.heads; ++head)
      std::copy_n(g.data() + row * spec_.d_model, spec_.d_model,
                  each.data() + row * wide + head * spec_.d_model);
  meet(named("attn.result"), {spec_.heads, spec_.d_model}, each);
  const Matrix w = matrix_of(weights_, named("attn.W_O"), spec_.d_model, width);
  Values grown(static_cast<size_t>(spec_.d_model * width));
  const Values& z = had_for_parameters("attn.z");
  for (int64_t head = 0; head < spec_.heads; ++head) {
    const RowsOf<const T> own{each.data() + head * spec_.d_model, wide};
    linear<T>(own, begin_, turned(columns_of(w, head * d, d)), {}, {dz.data() + head * d, width}, task_,
              compute_);
    if (!wants_parameter(named("attn.W_O"))) continue;
    const Values part = weight_gradient<T>(own, spec_.d_model, {z.data() + head * d, width}, d, rows_, task_);
    for (int64_t row = 0; row < spec_.d_model; ++row)
      std::copy_n(part.data() + row * d, d, grown.data() + row * width + head * d);
  }
  if (wants_parameter(named("attn.W_O"))) give(named("attn.W_O"), {spec_.d_model, width}, grown);
  if (wants_parameter(named("attn.b_O")))
    give(named("attn.b_O"), {spec_.d_model}, bias_gradient(g, spec_.d_model));
  return dz;
}

// Through whole patterns and scores, prompt by prompt: somebody looks at them, or changed them.
template <class T>
AttentionGradients<T> BackwardPass<T>::patterns_back(const Values& dz) {
  const AttentionPlan plan = attention_plan(spec_, layer_);
  const bool rotary = spec_.positions == Positions::rotary;
  const Values &q = had(rotary ? "attn.rot_q" : "attn.q"), &k = had(rotary ? "attn.rot_k" : "attn.k");
  const Values &v = had("attn.v"), &pattern = had("attn.pattern"), &scores = had("attn.scores");
  const int64_t width = spec_.heads * spec_.d_head, kv_width = spec_.kv_heads * spec_.d_head;
  AttentionGradients<T> out{buffer(width), buffer(width), buffer(width)};
  int64_t at = 0;
  for (size_t prompt = 0; prompt + 1 < begin_.size(); ++prompt) {
    const int64_t row = begin_[prompt], length = begin_[prompt + 1] - row;
    const std::vector<int64_t> shape = {spec_.heads, length, length};
    const auto turn_at = [&](const std::string& site, T* gradient) {
      if (wanted(site)) show_one(site, static_cast<int64_t>(prompt), shape, gradient);
      if (!changes_.any(site)) return;
      SiteBuffer<T> buffer_of_one{gradient, {shape}, nullptr};
      const Changes own(spec_, interventions_, static_cast<int64_t>(prompt));
      own.turn_back(site, buffer_of_one);
    };
    const WholeAttention<T> whole{pattern.data() + at, scores.data() + at,
                                  [&](T* gradient) { turn_at(named("attn.pattern"), gradient); },
                                  [&](T* gradient) { turn_at(named("attn.scores"), gradient); }};
    attend_back_whole(spec_, plan, length, q.data() + row * width, k.data() + row * kv_width,
                      v.data() + row * kv_width, dz.data() + row * width, whole, out.q.data() + row * width,
                      out.k.data() + row * width, out.v.data() + row * width);
    at += spec_.heads * length * length;
  }
  return out;
}

template <class T>
void BackwardPass<T>::rotate_back(int64_t heads, Values& rows) const {
  for (int64_t row = 0; row < rows_; ++row) {
    const auto at = static_cast<size_t>(row);
    rotate_row_back(*table_of_prompt_[prompt_of_[at]], position_of_[at], heads, spec_.d_head,
                    rows.data() + row * heads * spec_.d_head);
  }
}

template <class T>
std::vector<T> BackwardPass<T>::by_kv_head(const Values& expanded) const {
  const int64_t d = spec_.d_head;
  Values sums = buffer(spec_.kv_heads * d);
  for (int64_t row = 0; row < rows_; ++row)
    for (int64_t head = 0; head < spec_.heads; ++head)
      for (int64_t i = 0; i < d; ++i)
        sums[static_cast<size_t>((row * spec_.kv_heads + kv_head_of(spec_, head)) * d + i)] +=
            expanded[static_cast<size_t>((row * spec_.heads + head) * d + i)];
  return sums;
}

template <class T>
std::vector<T> BackwardPass<T>::projections_back(AttentionGradients<T> gradients) {
  if (wanted(named("q_input")) || wanted(named("k_input")) || wanted(named("v_input")))
    head_inputs_back(gradients);
  Values q = std::move(gradients.q), k = by_kv_head(gradients.k), v = by_kv_head(gradients.v);
  if (spec_.positions == Positions::rotary) {
    meet(named("attn.rot_q"), {spec_.heads, spec_.d_head}, q);
    meet(named("attn.rot_k"), {spec_.kv_heads, spec_.d_head}, k);
    rotate_back(spec_.heads, q);
    rotate_back(spec_.kv_heads, k);
  }
  Values dx = project_back("q", "Q", spec_.heads, std::move(q));
  const Values dk = project_back("k", "K", spec_.kv_heads, std::move(k));
  const Values dv = project_back("v", "V", spec_.kv_heads, std::move(v));
  add_to(dx.data(), dk.data(), static_cast<int64_t>(dx.size()));
  add_to(dx.data(), dv.data(), static_cast<int64_t>(dx.size()));
  return dx;
}

// Before norm and clipping.
template <class T>
std::vector<T> BackwardPass<T>::raw_projection(const std::string& letter, int64_t heads) const {
  const int64_t width = heads * spec_.d_head;
  Values raw = buffer(width);
  const Values bias = vector_if_any<T>(weights_, named("attn.b_" + letter));
  linear<T>({attention_input().data(), spec_.d_model}, begin_,
            matrix_of(weights_, named("attn.W_" + letter), width, spec_.d_model), bias, {raw.data(), width},
            task_, compute_);
  return raw;
}

template <class T>
NormWeights<T> BackwardPass<T>::projection_norm(const std::string& site) const {
  const std::string name = named("attn." + site + "_norm");
  NormWeights<T> own{spec_.norm, spec_.norm_eps, vector_of<T>(weights_, name + ".w"),
                     vector_if_any<T>(weights_, name + ".b")};
  for (T& gain : own.gain) gain += static_cast<T>(spec_.norm_offset);
  return own;
}

template <class T>
std::vector<T> BackwardPass<T>::project_back(const std::string& site, const std::string& letter,
                                             int64_t heads, Values g) {
  const int64_t width = heads * spec_.d_head;
  meet(named("attn." + site), {heads, spec_.d_head}, g);
  if (spec_.clip_qkv > 0) {
    const Values& clipped = had("attn." + site);
    const T most = static_cast<T>(spec_.clip_qkv);
    for (size_t i = 0; i < g.size(); ++i)
      if (clipped[i] >= most || clipped[i] <= -most) g[i] = 0;
  }
  if (letter != "V" && (spec_.qk_norm_full || spec_.qk_norm_per_head)) {
    const int64_t span = spec_.qk_norm_full ? width : spec_.d_head;
    const std::string name = named("attn." + site + "_norm");
    NormGradients<T> own;
    const bool parameters = wants_parameter(name + ".w") || wants_parameter(name + ".b");
    const Values raw = raw_projection(letter, heads);
    Values dx = buffer(width);
    add_norm_back(projection_norm(site), raw.data(), g.data(), rows_ * width / span, span, dx.data(),
                  parameters ? &own : nullptr);
    if (wants_parameter(name + ".w")) give(name + ".w", {span}, own.gain);
    if (wants_parameter(name + ".b")) give(name + ".b", {span}, own.bias);
    g = std::move(dx);
  }
  static const Values nothing;
  const Values& input = parameters_ == nullptr ? nothing : attention_input();
  return through_matrix("attn.W_" + letter, "attn.b_" + letter, input, spec_.d_model, g, width);
}

// The stream as each query head reads it for its queries, keys and values: one gradient for each, through the
// norm. Grouped keys and values are those of every query head on its own.
template <class T>
void BackwardPass<T>::head_inputs_back(const AttentionGradients<T>& gradients) {
  for (const char* part : {"attn.q", "attn.k", "attn.v", "attn.rot_q", "attn.rot_k", "ln1.normalized"})
    if (changes_.any(named(part)))
      fail("gradients at single heads' inputs do not pass a change of {}", named(part));
  const bool rotary = spec_.positions == Positions::rotary;
  const auto one = [&](const char* site, const std::string& letter, Values g) {
    if (!wanted(named(site))) return;
    if (rotary && letter != "V") rotate_back(spec_.heads, g);
    head_input_back(site, letter, g);
  };
  one("q_input", "Q", gradients.q);
  one("k_input", "K", gradients.k);
  one("v_input", "V", gradients.v);
}

template <class T>
void BackwardPass<T>::head_input_back(const std::string& site, const std::string& letter, const Values& g) {
  const int64_t d = spec_.d_head, width = spec_.heads * d, model = spec_.d_model, wide = spec_.heads * model;
  const int64_t own_heads = letter == "Q" ? spec_.heads : spec_.kv_heads, own_width = own_heads * d;
  const bool normed = letter != "V" && (spec_.qk_norm_full || spec_.qk_norm_per_head);
  const std::string lower(1, static_cast<char>(letter[0] - 'A' + 'a'));
  const Matrix w = matrix_of(weights_, named("attn.W_" + letter), own_width, model);
  const Values raw = normed ? raw_projection(letter, own_heads) : Values{};
  Values inputs = buffer(wide);
  for (int64_t head = 0; head < spec_.heads; ++head) {
    const int64_t slot = letter == "Q" ? head : kv_head_of(spec_, head);
    if (!normed && spec_.clip_qkv <= 0) {
      linear<T>({g.data() + head * d, width}, begin_, turned(rows_of(w, slot * d, d)), {},
                {inputs.data() + head * model, wide}, task_, compute_);
      continue;
    }
    // This head's gradient alone, at the place of its projection.
    Values alone = buffer(own_width);
    for (int64_t row = 0; row < rows_; ++row)
      std::copy_n(g.data() + row * width + head * d, d, alone.data() + row * own_width + slot * d);
    if (spec_.clip_qkv > 0) {
      const Values& clipped = had("attn." + lower);
      const T most = static_cast<T>(spec_.clip_qkv);
      for (size_t i = 0; i < alone.size(); ++i)
        if (clipped[i] >= most || clipped[i] <= -most) alone[i] = 0;
    }
    RowsOf<const T> from{alone.data() + slot * d, own_width};
    Matrix rows = rows_of(w, slot * d, d);
    Values before;
    if (normed) {
      const int64_t span = spec_.qk_norm_full ? own_width : d;
      before = buffer(own_width);
      add_norm_back(projection_norm(lower), raw.data(), alone.data(), rows_ * own_width / span, span,
                    before.data());
      from.data = before.data() + slot * d;
      if (spec_.qk_norm_full) {  // the norm spreads one head's gradient over all
        from = {before.data(), own_width};
        rows = w;
      }
    }
    linear<T>(from, begin_, turned(rows), {}, {inputs.data() + head * model, wide}, task_, compute_);
  }
  weights_.release(named("attn.W_" + letter));
  if (spec_.pre_norm)
    norm_back_of_readers(norm(named("ln1")), had("resid_pre").data(), rows_, spec_.heads, model,
                         inputs.data());
  meet(named(site), {spec_.heads, model}, inputs);
}

template std::vector<float> BackwardPass<float>::attention_back(Values);
template std::vector<double> BackwardPass<double>::attention_back(Values);

}  // namespace varve
