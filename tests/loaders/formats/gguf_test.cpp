// GGUF files: tensors as they are or widened, metadata, vocabularies, models; and every way to lie in one.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "analysis/model/tokenizer.h"
#include "loaders/checkpoint_files.h"
#include "loaders/format.h"
#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using pickled::number;

std::string text(const std::string& value) { return number(value.size(), 8) + value; }
std::string entry(const std::string& key, uint32_t type, const std::string& value) {
  return text(key) + number(type, 4) + value;
}
std::string word(const std::string& key, const std::string& value) { return entry(key, 8, text(value)); }
std::string count(const std::string& key, uint64_t value) { return entry(key, 4, number(value, 4)); }
std::string real(const std::string& key, float value) {
  std::string raw(4, '\0');
  std::memcpy(raw.data(), &value, 4);
  return entry(key, 6, raw);
}
std::string words(const std::string& key, const std::vector<std::string>& values) {
  std::string list = number(8, 4) + number(values.size(), 8);
  for (const std::string& value : values) list += text(value);
  return entry(key, 9, list);
}

struct Stored {
  std::string name;
  std::vector<uint64_t> sizes;  // fastest axis first, as the file has them
  uint32_t type = 0;
  std::string data;
  int64_t begin = -1;  // -1: where it lies
};

std::string gguf(const std::vector<std::string>& entries, const std::vector<Stored>& tensors,
                 uint32_t version = 3) {
  std::string out = "GGUF" + number(version, 4) + number(tensors.size(), 8) + number(entries.size(), 8), data;
  for (const std::string& one : entries) out += one;
  for (const Stored& tensor : tensors) {
    out += text(tensor.name) + number(tensor.sizes.size(), 4);
    for (const uint64_t size : tensor.sizes) out += number(size, 8);
    out += number(tensor.type, 4) +
           number(tensor.begin < 0 ? data.size() : static_cast<uint64_t>(tensor.begin), 8);
    data += tensor.data;
    data.resize((data.size() + 31) / 32 * 32);
  }
  out.resize((out.size() + 31) / 32 * 32);
  return out + data;
}

class Gguf : public ::testing::Test {
 protected:
  std::unique_ptr<TensorFile> open(const std::string& content) {
    write_text(path_, content);
    return formats().get("gguf").open(path_);
  }
  void expect_refused(const std::string& content, std::vector<std::string> said) {
    said.push_back("x.gguf");
    expect_error([&] { open(content); }, said);
  }
  TempFolder folder_;
  fs::path path_ = folder_.path() / "x.gguf";
};

TEST_F(Gguf, TensorsLieInPlaceWithTheirAxesTurnedRound) {
  const auto file = open(
      gguf({}, {{"a", {3, 2}, 0, std::string(24, 'a')}, {"b", {4}, 30, "bbbbbbbb"}, {"c", {2}, 1, "cccc"}}));
  const std::vector<FileTensor>& tensors = file->tensors();
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(tensors[0].view.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensors[1].view.type, TensorType::bf16);
  EXPECT_EQ(tensors[2].view.type, TensorType::f16);
  EXPECT_EQ(tensors[1].offset % 32, 0);
  EXPECT_EQ(static_cast<char>(tensors[1].view.bytes[0]), 'b');
  EXPECT_TRUE(formats().get("gguf").recognises(path_));
}

// A block is a half-precision scale and 32 bytes: 0x3800 is 0.5, 0x0001 the smallest half there is.
TEST_F(Gguf, BlocksOfEightBitsAreScaleTimesByte) {
  std::string blocks("\x00\x38", 2);
  for (int i = 0; i < 32; ++i) blocks += static_cast<char>(i - 16);
  blocks += std::string("\x01\x00", 2) + std::string(32, '\x7f');
  const auto file = open(gguf({}, {{"w", {64}, 8, blocks}}));
  const FileTensor& tensor = file->tensors().at(0);
  EXPECT_EQ(tensor.view.type, TensorType::f32);
  EXPECT_EQ(tensor.offset, -1);
  std::vector<float> values(64);
  ASSERT_EQ(tensor.view.bytes.size(), 256u);
  std::memcpy(values.data(), tensor.view.bytes.data(), 256);
  EXPECT_EQ(values[0], -8.0F);
  EXPECT_EQ(values[31], 7.5F);
  EXPECT_EQ(values[32], 127 * 0x1p-24F);
}

TEST_F(Gguf, QuantizationsThatAreNotReadAreNamed) {
  expect_refused(gguf({}, {{"w", {256}, 12, std::string(144, 'x')}}), {"'w'", "Q4_K", "F16"});
  expect_refused(gguf({}, {{"w", {256}, 99, ""}}), {"'w'", "type 99"});
  expect_refused(gguf({}, {{"w", {33}, 8, std::string(34, 'x')}}), {"'w'", "blocks of 32"});
}

TEST_F(Gguf, SizesAndPlacesAreNeverTakenOnTrust) {
  const std::string data(16, 'x');
  expect_refused(gguf({}, {{"w", {5}, 0, data, 32}}), {"'w'", "past the end"});
  expect_refused(gguf({}, {{"w", {UINT64_MAX}, 0, data}}), {"'w'", "more elements"});
  expect_refused(gguf({}, {{"w", {1ULL << 40, 1ULL << 40}, 0, data}}), {"'w'", "more elements"});
  expect_refused(gguf({}, {{"w", {4}, 0, data, 8}}), {"'w'", "multiple"});
  expect_refused(gguf({}, {{"w", {4}, 0, data}, {"v", {4}, 0, data, 0}}), {"overlap"});
  expect_refused(gguf({}, {{"w", {4}, 0, data}, {"w", {4}, 0, data}}), {"'w'", "twice"});
  expect_refused(gguf({count("a", 1), count("a", 1)}, {}), {"'a'", "twice"});
  expect_refused(gguf({count("general.alignment", 0)}, {}), {"general.alignment"});
  expect_refused(gguf({entry("a", 9, number(4, 4) + std::string(8, '\x7f'))}, {}), {"goes past"});
  expect_refused(gguf({entry("a", 8, std::string(8, '\xff'))}, {}), {"cut short"});
  expect_refused(gguf({entry("a", 77, "xxxx")}, {}), {"77"});
  expect_refused(gguf({}, {}, 1), {"version 1"});
  expect_refused(gguf({}, {}, 0x03000000), {"big-endian"});
  expect_refused("GGUF" + number(3, 4) + std::string(16, '\xff'), {"more than fit"});
  expect_refused("GGML", {"GGUF"});
}

TEST_F(Gguf, EveryCutIsAnErrorAndDamageNeverACrash) {
  const std::string whole =
      gguf({word("general.architecture", "llama"), words("tokenizer.ggml.tokens", {"a", "b"})},
           {{"w", {32, 2}, 8, std::string(68, 'x')}, {"v", {8}, 0, std::string(32, 'y')}});
  for (size_t length = 0; length < whole.size(); length += 3)
    EXPECT_THROW(open(whole.substr(0, length)), Error) << length;
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = whole;
    for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      open(bytes);
    } catch (const Error&) {
      continue;
    }
  }
}

TEST_F(Gguf, TheVocabularyBecomesATokenizer) {
  const fs::path real_file = VARVE_SHARED "/real/tokenizers/ggml-vocab-gpt-2.gguf";
  if (!fs::exists(real_file)) GTEST_SKIP() << real_file << " is not there";
  const std::string json = read_tokenizer(real_file);
  const Tokenizer tokenizer(json);
  std::vector<int64_t> ids;
  for (const Token& token : tokenizer.encode("Hello world")) ids.push_back(token.id);
  EXPECT_EQ(ids, (std::vector<int64_t>{15496, 995}));
}

// f32 bytes of values that differ everywhere, as safetensors_writer counts them.
std::string raw(const F32Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float)};
}

// Rows of each head in the order in which llama.cpp keeps them: first and second half take turns.
F32Tensor paired(const F32Tensor& tensor, int64_t heads) {
  const int64_t rows = tensor.shape[0] / heads, width = tensor.shape[1];
  F32Tensor out = tensor;
  for (int64_t head = 0; head < heads; ++head)
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t target = row < rows / 2 ? 2 * row : 2 * (row - rows / 2) + 1;
      for (int64_t i = 0; i < width; ++i)
        out.values[static_cast<size_t>((head * rows + target) * width + i)] =
            tensor.values[static_cast<size_t>((head * rows + row) * width + i)];
    }
  return out;
}

TEST_F(Gguf, AVocabularyOfAnotherKindIsLeftOutAloud) {
  const auto file =
      open(gguf({word("tokenizer.ggml.model", "llama"), words("tokenizer.ggml.tokens", {"a", "b"})},
                {{"w", {4}, 0, std::string(16, 'x')}}));
  EXPECT_EQ(file->parts().front().tokenizer, "");
  ASSERT_EQ(file->parts().front().notes.size(), 1U);
  EXPECT_NE(file->parts().front().notes.front().find("kind 'llama'"), std::string::npos);
  EXPECT_TRUE(open(gguf({}, {{"w", {4}, 0, std::string(16, 'x')}}))->parts().front().notes.empty());
}

TEST_F(Gguf, ALlamaModelIsTheOneItWasMadeFrom) {
  const SmallModel model = small_llama();
  write_model(folder_.path() / "original", model);
  const std::string block = "model.layers.0.";
  const auto stored = [&](const std::string& name, const std::string& source, int64_t heads = 0) {
    const F32Tensor& tensor = model.tensors.at(source);
    std::vector<uint64_t> sizes(tensor.shape.rbegin(), tensor.shape.rend());
    return Stored{name, sizes, 0, raw(heads > 0 ? paired(tensor, heads) : tensor)};
  };
  const std::vector<std::string> metadata = {word("general.architecture", "llama"),
                                             count("llama.block_count", 1),
                                             count("llama.embedding_length", 8),
                                             count("llama.attention.head_count", 4),
                                             count("llama.attention.head_count_kv", 2),
                                             count("llama.attention.key_length", 4),
                                             count("llama.attention.value_length", 4),
                                             count("llama.feed_forward_length", 12),
                                             count("llama.context_length", 64),
                                             count("llama.rope.dimension_count", 4),
                                             real("llama.attention.layer_norm_rms_epsilon", 1e-6F)};
  const std::vector<Stored> tensors = {
      stored("token_embd.weight", "model.embed_tokens.weight"),
      stored("output.weight", "lm_head.weight"),
      stored("output_norm.weight", "model.norm.weight"),
      stored("blk.0.attn_norm.weight", block + "input_layernorm.weight"),
      stored("blk.0.ffn_norm.weight", block + "post_attention_layernorm.weight"),
      stored("blk.0.attn_q.weight", block + "self_attn.q_proj.weight", 4),
      stored("blk.0.attn_k.weight", block + "self_attn.k_proj.weight", 2),
      stored("blk.0.attn_v.weight", block + "self_attn.v_proj.weight"),
      stored("blk.0.attn_output.weight", block + "self_attn.o_proj.weight"),
      stored("blk.0.ffn_gate.weight", block + "mlp.gate_proj.weight"),
      stored("blk.0.ffn_up.weight", block + "mlp.up_proj.weight"),
      stored("blk.0.ffn_down.weight", block + "mlp.down_proj.weight")};
  write_text(path_, gguf(metadata, tensors));
  EXPECT_EQ(find_series(folder_.path()).kind, "model folder");  // it needs no config.json
  const auto opened = [](const fs::path& source) {
    const SeriesSource series = find_series(source);
    return open_model(series, series.checkpoints.at(0));
  };
  const OpenedModel from_gguf = opened(path_), original = opened(folder_.path() / "original");
  const Weights &a = *from_gguf.weights, &b = *original.weights;
  EXPECT_EQ(a.spec().kv_heads, 2);
  for (const char* name :
       {"embed.W_E", "unembed.W_U", "blocks.0.attn.W_Q", "blocks.0.attn.W_K", "blocks.0.attn.W_V",
        "blocks.0.attn.W_O", "blocks.0.mlp.W_in", "blocks.0.mlp.W_gate", "blocks.0.mlp.W_out"}) {
    const Matrix left = a.matrix(name), right = b.matrix(name);
    ASSERT_EQ(left.rows, right.rows) << name;
    std::vector<float> x(static_cast<size_t>(left.rows * left.columns)), y(x.size());
    widen_rows(left, 0, left.rows, x.data());
    widen_rows(right, 0, right.rows, y.data());
    EXPECT_EQ(x, y) << name;
  }
}

TEST_F(Gguf, OtherArchitecturesAreRefusedAsModelsByName) {
  write_text(path_, gguf({word("general.architecture", "mamba")}, {{"w", {4}, 0, std::string(16, 'x')}}));
  const SeriesSource series = find_series(path_);
  expect_error([&] { open_checkpoint(series.checkpoints.at(0)); }, {"mamba", "llama and qwen2", "--map"});
}

}  // namespace
}  // namespace varve
