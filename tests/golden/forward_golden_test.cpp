// Every site of the tiny reference models against the outputs PyTorch gives for them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <ostream>

#include "analysis/core/error.h"
#include "loaders/format.h"
#include "loaders/import.h"
#include "tests/support/site_values.h"

namespace varve {
namespace {

// The contract's parity with the reference in f32: rounding of two different summation orders.
constexpr double parity = 5e-5;

// One array of a reference file, as doubles.
struct Reference {
  std::vector<int64_t> shape;
  std::vector<double> values;
};

class ReferenceFile {
 public:
  explicit ReferenceFile(const std::filesystem::path& path)
      : file_(formats().get("safetensors").open(path)) {}
  bool has(const std::string& name) const { return find(name) != nullptr; }
  Reference get(const std::string& name) const {
    const FileTensor* found = find(name);
    if (found == nullptr) fail("the reference has no array '{}'", name);
    Reference reference{found->view.shape, {}};
    if (found->view.type == TensorType::f32) copy<float>(found->view, reference.values);
    if (found->view.type == TensorType::i64) copy<int64_t>(found->view, reference.values);
    EXPECT_FALSE(reference.values.empty()) << name;
    return reference;
  }

 private:
  const FileTensor* find(const std::string& name) const {
    for (const FileTensor& tensor : file_->tensors())
      if (tensor.name == name) return &tensor;
    return nullptr;
  }
  template <class Stored>
  static void copy(const TensorView& view, std::vector<double>& out) {
    for (size_t at = 0; at + sizeof(Stored) <= view.bytes.size(); at += sizeof(Stored)) {
      Stored value;
      std::memcpy(&value, view.bytes.data() + at, sizeof(Stored));
      out.push_back(static_cast<double>(value));
    }
  }
  std::unique_ptr<TensorFile> file_;
};

struct Case {
  std::string root, name;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name << " under " << one.root; }

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* root : {VARVE_SHARED "/goldens", VARVE_SOURCE "/tests/golden"})
    for (const char* name : {"gpt2", "gpt_neox", "llama_gqa", "qwen2", "llama_rope_llama3", "olmo", "olmoe",
                             "mixtral", "qwen2_moe"})
      all.push_back({root, name});
  return all;
}

class ForwardGolden : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(GetParam().root) / GetParam().name;
    if (!std::filesystem::exists(folder_ / "golden.safetensors"))
      GTEST_SKIP() << "no reference outputs at " << folder_.filename() << " under this root";
    golden_ = std::make_unique<ReferenceFile>(folder_ / "golden.safetensors");
    const SeriesSource series = find_series(folder_);
    ASSERT_EQ(series.checkpoints.size(), 1u);
    model_ = open_model(series, series.checkpoints.front());
  }

  // The committed cases are cut shorter and say so.
  std::vector<std::string> groups() const {
    std::vector<std::string> found;
    for (const std::string group : {"batch", "cut", "one", "short"})
      if (golden_->has(group + ".input_ids")) found.push_back(group);
    return found;
  }

  std::vector<std::vector<int64_t>> prompts(const std::string& group) const {
    const Reference ids = golden_->get(group + ".input_ids");
    std::vector<std::vector<int64_t>> all;
    for (int64_t row = 0; row < ids.shape[0]; ++row) {
      const auto first = ids.values.begin() + row * ids.shape[1];
      all.emplace_back(first, first + ids.shape[1]);
    }
    return all;
  }

  // Row `prompt` of plane `plane` of a reference [planes, prompts, ...], or of [prompts, ...] with planes 1.
  static std::span<const double> slice(const Reference& reference, size_t planes, size_t prompts,
                                       size_t plane, size_t prompt) {
    const size_t each = reference.values.size() / (planes * prompts);
    return std::span(reference.values).subspan((plane * prompts + prompt) * each, each);
  }

  // Worst difference as a share of what parity allows.
  void compare(const std::string& what, const SiteValues& sites, const std::string& site, size_t prompt,
               std::span<const double> reference, double largest) {
    ASSERT_TRUE(sites.has(site, static_cast<int64_t>(prompt))) << site;
    const std::vector<double>& values = sites(site, static_cast<int64_t>(prompt));
    ASSERT_EQ(values.size(), reference.size()) << what;
    double worst = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_TRUE(std::isfinite(values[i])) << what << " " << site;
      worst = std::max(worst, std::abs(values[i] - reference[i]));
    }
    const double share = worst / (parity * std::max(1.0, largest));
    EXPECT_LE(share, 1) << what << " against " << site << ", prompt " << prompt;
    worst_share_ = std::max(worst_share_, share);
  }

  void compare_all(const std::string& array, const std::string& group, const SiteValues& sites,
                   const std::vector<std::string>& site_of_plane) {
    const std::string name = group + "." + array;
    const Reference reference = golden_->get(name);
    double largest = 0;
    for (double value : reference.values) largest = std::max(largest, std::abs(value));
    const size_t count = prompts(group).size(), planes = site_of_plane.size();
    ASSERT_EQ(reference.values.size() % (planes * count), 0u) << name;
    for (size_t plane = 0; plane < planes; ++plane)
      for (size_t prompt = 0; prompt < count; ++prompt)
        compare(name, sites, site_of_plane[plane], prompt, slice(reference, planes, count, plane, prompt),
                largest);
  }

  std::filesystem::path folder_;
  std::unique_ptr<ReferenceFile> golden_;
  OpenedModel model_;
  double worst_share_ = 0;
};

std::vector<std::string> in_layers(const std::vector<int64_t>& layers, const std::string& part) {
  std::vector<std::string> names;
  for (int64_t layer : layers) names.push_back(fmt::format("blocks.{}.{}", layer, part));
  return names;
}

TEST_P(ForwardGolden, EverySiteIsWithinParity) {
  const ModelSpec& spec = model_.weights->spec();
  std::vector<int64_t> layers, sparse = spec.sparse_layers;
  for (int64_t layer = 0; layer < spec.layers; ++layer) layers.push_back(layer);
  const std::string last = fmt::format("blocks.{}.resid_post", spec.layers - 1);
  const std::vector<std::string> found = groups();
  ASSERT_EQ(found.size(), 3u);
  for (const std::string& group : found) {
    const SiteValues sites = seen_sites(*model_.weights, prompts(group), {"*"});
    compare_all("logits", group, sites, {"logits"});
    // The reference's last hidden state is the one after the final norm.
    std::vector<std::string> hidden = in_layers(layers, "resid_pre");
    hidden.push_back("ln_final.normalized");
    compare_all("hidden_states", group, sites, hidden);
    compare_all("resid_last", group, sites, {last});
    compare_all("attentions", group, sites, in_layers(layers, "attn.pattern"));
    compare_all("z", group, sites, in_layers(layers, "attn.z"));
    compare_all("attn_out", group, sites, in_layers(layers, "attn.out"));
    compare_all("mlp_out", group, sites, in_layers(layers, "mlp.out"));
    if (sparse.empty()) continue;
    compare_all("router_logits", group, sites, in_layers(sparse, "router.logits"));
    compare_all("topk_index", group, sites, in_layers(sparse, "router.topk_indices"));
    compare_all("topk_weight", group, sites, in_layers(sparse, "router.topk_weights"));
    if (spec.shared_gate) compare_all("shared_gate", group, sites, in_layers(sparse, "router.shared_gate"));
  }
  RecordProperty("worst_share_of_parity", fmt::format("{:.3f}", worst_share_));
}

// What f32 loses is rounding: in f64 the same pass must come nearer to itself, not to another answer.
TEST_P(ForwardGolden, DoublePrecisionDiffersOnlyByRounding) {
  const std::vector<std::vector<int64_t>> some = prompts(groups().front());
  const SiteValues single = seen_sites(*model_.weights, some, {"logits"});
  const SiteValues twice = seen_sites(*model_.weights, some, {"logits"}, Compute::f64);
  double worst = 0, largest = 1;
  for (size_t i = 0; i < single("logits").size(); ++i) {
    largest = std::max(largest, std::abs(twice("logits")[i]));
    worst = std::max(worst, std::abs(single("logits")[i] - twice("logits")[i]));
  }
  EXPECT_GT(worst, 0);
  EXPECT_LE(worst, parity * largest);
}

INSTANTIATE_TEST_SUITE_P(Families, ForwardGolden, testing::ValuesIn(cases()), [](const auto& one) {
  return (one.param.root.find("shared") != std::string::npos ? "shared_" : "committed_") + one.param.name;
});

}  // namespace
}  // namespace varve
