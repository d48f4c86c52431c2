// The reference outputs once more, through the program and h5py: what a person gets in a file is right, too.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

class CommandGolden : public testing::TestWithParam<const char*> {};

TEST_P(CommandGolden, TraceAndLogitLensWriteTheReferenceOutputs) {
  const std::filesystem::path shared = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
  const std::filesystem::path own = std::filesystem::path(VARVE_SOURCE) / "tests/golden" / GetParam();
  const TempFolder scratch;
  const Ended ended = run_words(
      {"/usr/bin/python3", VARVE_SOURCE "/tests/golden/through_commands.py", VARVE_PROGRAMS "/varve",
       (std::filesystem::exists(shared) ? shared : own).string(), scratch.path().string()});
  ASSERT_EQ(ended.exit_code, 0) << ended.out << ended.err;
  const nlohmann::json found = nlohmann::json::parse(ended.out);
  EXPECT_LE(found.at("worst_share").get<double>(), 1) << ended.out;
  EXPECT_GE(found.at("compared").get<int>(), 36) << ended.out;  // six arrays, three groups, two sources
}

INSTANTIATE_TEST_SUITE_P(Families, CommandGolden,
                         testing::Values("gpt2", "gpt_neox", "llama_gqa", "qwen2", "llama_rope_llama3",
                                         "olmo", "olmoe", "mixtral", "qwen2_moe"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace varve
