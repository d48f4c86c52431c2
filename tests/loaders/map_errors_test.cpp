// What is said where a mapping and a file do not fit together.
#include "tests/loaders/map_network.h"
#include "tests/support/expect_error.h"

namespace varve::mapped {
namespace {

void expect_refused(const std::string& map, const std::vector<std::string>& words) {
  expect_error([&] { read(map, lens_network()); }, words);
}

TEST(Map, TensorsOfTheFileThatAreNotMappedAreNamed) {
  expect_refused(replaced(lens_map, "\"*.mask\"", ""), {"net.toml", "blocks.0.attn.mask [4, 4]", "ignore"});
  expect_refused(replaced(lens_map, "\"unembed.b_U\" = \"unembed.b_U\"\n", ""), {"unembed.b_U [7]"});
}

TEST(Map, TensorsOfTheModelThatAreNotMappedAreNamed) {
  expect_refused(replaced(lens_map, "\"embed.W_E\" = \"embed.W_E\"\n", ""),
                 {"embed.W_E [7, 6]", "not mapped"});
  expect_refused(replaced(lens_map, "norm = \"none\"", "norm_has_gain = true"),
                 {"blocks.0.ln1.w [6]", "norm"});
}

TEST(Map, AShapeThatDoesNotFitNamesTheTensorAndWhatMayBeMissing) {
  expect_refused(
      replaced(lens_map, "\"blocks.{layer}.mlp.W_in\", transpose = true", "\"blocks.{layer}.mlp.W_in\""),
      {"blocks.0.mlp.W_in", "[6, 10]", "[10, 6]", "transpose"});
  expect_refused(replaced(lens_map, "d_mlp = 10", "d_mlp = 11"), {"blocks.0.mlp.W_in", "[11, 6]"});
  expect_refused(replaced(lens_map, "heads = 2", "heads = 3"),
                 {"blocks.0.attn.W_", "[2, 6, 3]", "[3, 2, 6]"});
}

TEST(Map, StepsThatCannotBeDoneAreNamed) {
  const std::string rule = "{ from = \"blocks.{layer}.mlp.W_in\", transpose = true }";
  const auto with_step = [&](const std::string& step) {
    return replaced(lens_map, rule, "{ from = \"blocks.{layer}.mlp.W_in\", " + step + " }");
  };
  expect_refused(with_step("split = [0, 4, 0]"), {"mlp.W_in", "4 equal parts"});
  expect_refused(with_step("split = [2, 3, 0]"), {"mlp.W_in", "no axis 2"});
  expect_refused(with_step("slice = [0, 3, 9]"), {"mlp.W_in", "3:9"});
  expect_refused(with_step("permute = [0, 0]"), {"mlp.W_in", "permute"});
  expect_refused(with_step("view = [7, -1]"), {"mlp.W_in", "cannot be seen"});
  expect_refused(with_step("view = [\"d_modl\", -1]"), {"d_modl", "d_model"});
  expect_refused(with_step("transposed = true"), {"transposed", "transpose"});
  expect_refused(with_step("split = [0, 2]"), {"split", "[axis, parts, which]"});
}

TEST(Map, NamesThatDoNotExistAreMetWithTheNearest) {
  expect_refused(replaced(lens_map, "d_mlp = 10", "d_mpl = 10"), {"d_mpl", "d_mlp"});
  expect_refused(replaced(lens_map, "\"unembed.b_U\" = ", "\"unembed.b_V\" = "),
                 {"unembed.b_V", "unembed.b_U"});
  expect_refused(replaced(lens_map, "= \"pos_embed.W_pos\"", "= \"pos_embed.W_ps\""),
                 {"pos_embed.W_ps", "pos_embed.W_pos"});
  expect_refused(replaced(lens_map, "[tensors]", "[tensor]"), {"tensor", "tensors"});
  expect_refused(replaced(lens_map, "\"relu\"", "\"rellu\""), {"activation", "rellu"});
}

TEST(Map, ABrokenFileNamesTheLine) { expect_refused("[model]\nheads = = 2\n", {"net.toml", "line 2"}); }

TEST(Map, SizesThatNobodySaysAreAskedFor) {
  expect_refused(replaced(lens_map, "heads = 2\n", ""), {"'heads'", "--map-template"});
  expect_refused(replaced(lens_map, "context = 4\n", ""), {"'context'"});
  expect_refused("[model]\nheads = 2\n", {"[tensors]"});
}

TEST(Map, OnlyHeadsMayComeOneByOne) {
  expect_refused(replaced(lens_map, "= \"blocks.{layer}.mlp.b_in\"", "= \"blocks.{layer}.{head}.b_in\""),
                 {"mlp.b_in", "head by head"});
}

}  // namespace
}  // namespace varve::mapped
