// The tokenizer against ids that other programs gave for the same files: GPT-2, GPT-NeoX and the tiny series.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <sstream>

#include "analysis/core/error.h"
#include "analysis/model/tokenizer.h"
#include "tests/support/gguf_vocabulary.h"

namespace varve {
namespace {

using nlohmann::json;

const std::filesystem::path shared = VARVE_SHARED;

std::optional<std::string> content(const std::string& name) {
  std::ifstream file(shared / name, std::ios::binary);
  if (!file) return {};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Vector {
  std::string text;
  std::vector<int64_t> ids;
};

std::vector<Vector> series_vectors(const std::string& file) {
  std::vector<Vector> vectors;
  for (const json& entry : json::parse(file)) vectors.push_back({entry["text"], entry["ids"]});
  return vectors;
}

// Texts end with a line of their own; ids are one line a text.
std::vector<Vector> line_vectors(const std::string& texts, const std::string& lines) {
  const std::string mark = "\n__ggml_vocab_test__\n";
  std::vector<Vector> vectors;
  std::istringstream reader(lines);
  for (size_t at = 0, end = 0; (end = texts.find(mark, at)) != std::string::npos; at = end + mark.size()) {
    Vector vector{.text = texts.substr(at, end - at), .ids = {}};
    std::string line;
    std::getline(reader, line);
    std::istringstream numbers(line);
    for (int64_t id = 0; numbers >> id;) vector.ids.push_back(id);
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

// Ids equal, offsets in order and without a hole, bytes back.
int agreeing(const Tokenizer& tokenizer, const std::vector<Vector>& vectors, bool comes_back) {
  int count = 0;
  for (const auto& [text, wanted] : vectors) {
    std::vector<int64_t> ids;
    int64_t covered = 0;
    for (const Token& token : tokenizer.encode(text)) {
      ids.push_back(token.id);
      EXPECT_LE(token.begin, covered) << text;
      EXPECT_GE(token.end, covered) << text;
      covered = token.end;
    }
    EXPECT_EQ(covered, static_cast<int64_t>(text.size())) << text;
    EXPECT_EQ(ids, wanted) << text;
    if (comes_back) {
      EXPECT_EQ(tokenizer.decode(ids), text);
    }
    count += ids == wanted;
  }
  return count;
}

std::string tokenizer_from_gguf(const std::string& file) {
  const auto lists = support::GgufReader(file).text_lists();
  json vocab = json::object();
  const auto& tokens = lists.at("tokenizer.ggml.tokens");
  for (size_t id = 0; id < tokens.size(); ++id) vocab[tokens[id]] = id;
  return json{{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", lists.at("tokenizer.ggml.merges")}}},
              {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}}}
      .dump();
}

TEST(TokenizerGolden, TinySeriesGiveTheirFortyVectorsInBothFormsOfMerges) {
  const auto vectors = content("series/tokenizer_vectors.json");
  if (!vectors) GTEST_SKIP() << "no shared/series/tokenizer_vectors.json";
  for (const char* series : {"tiny-neox", "tiny-olmoe"}) {
    const Tokenizer tokenizer(content(std::string("series/") + series + "/tokenizer.json").value());
    EXPECT_EQ(agreeing(tokenizer, series_vectors(*vectors), true), 40) << series;
  }
}

TEST(TokenizerGolden, NeoxGivesFortySixOfFortySix) {
  const auto file = content("real/tokenizers/20B_tokenizer.json");
  if (!file) GTEST_SKIP() << "no shared/real/tokenizers/20B_tokenizer.json";
  const auto vectors = line_vectors(content("real/tokenizers/ggml-vocab-mpt.gguf.inp").value(),
                                    content("real/tokenizers/ggml-vocab-mpt.gguf.out").value());
  EXPECT_EQ(agreeing(Tokenizer(*file), vectors, true), 46);
}

TEST(TokenizerGolden, Gpt2GivesFortySixOfFortySix) {
  const auto file = content("real/tokenizers/ggml-vocab-gpt-2.gguf");
  if (!file) GTEST_SKIP() << "no shared/real/tokenizers/ggml-vocab-gpt-2.gguf";
  const auto vectors = line_vectors(content("real/tokenizers/ggml-vocab-gpt-2.gguf.inp").value(),
                                    content("real/tokenizers/ggml-vocab-gpt-2.gguf.out").value());
  EXPECT_EQ(agreeing(Tokenizer(tokenizer_from_gguf(*file)), vectors, true), 46);
}

TEST(TokenizerGolden, DamagedFilesAreErrorsOrTokenizersAndNeverCrash) {
  const auto file = content("series/tiny-olmoe/tokenizer.json");
  if (!file) GTEST_SKIP() << "no shared/series/tiny-olmoe/tokenizer.json";
  std::mt19937 random(5);
  int refused = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::string damaged = *file;
    if (trial % 2 == 0) {
      damaged.resize(random() % damaged.size());
    } else {
      for (int flip = 0; flip < 3; ++flip)
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    }
    try {
      const Tokenizer tokenizer(damaged);
      tokenizer.encode("Hello, world! na\u00efve \xff 123");
    } catch (const Error& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()), "");
    }
  }
  EXPECT_GE(refused, 100);  // every cut file at least
}

}  // namespace
}  // namespace varve
