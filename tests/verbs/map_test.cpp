// varve import --map and --map-template: a network without a config.json from the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/program.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// One attention layer without MLP or norms, with the causal mask saved beside the weights.
class MapVerb : public ::testing::Test {
 protected:
  void SetUp() override {
    F32Tensors all;
    all["embed.W_E"] = counted({5, 4}, 1);
    all["unembed.W_U"] = counted({4, 5}, 1);
    for (const char* letter : {"Q", "K", "V"})
      all[std::string("blocks.0.attn.W_") + letter] = counted({2, 4, 2}, 1);
    all["blocks.0.attn.W_O"] = counted({2, 2, 4}, 1);
    all["blocks.0.attn.mask"] = counted({6, 6}, 0);
    write_text(folder_.path() / "net" / "final.safetensors", safetensors_of(all));
  }
  std::string path(const char* name) const { return (folder_.path() / name).string(); }
  TempFolder folder_;
};

TEST_F(MapVerb, TheDraftImportsWhatItWasMadeFrom) {
  const Ended draft = varve_run({"import", "--map-template", path("net")});
  ASSERT_EQ(draft.exit_code, 0) << draft.err;
  EXPECT_THAT(draft.out,
              AllOf(HasSubstr("heads = 2"), HasSubstr("[tensors]"), HasSubstr("permute = [2, 0, 1]")));
  write_text(path("net.toml"), draft.out);
  const Ended imported =
      varve_run({"import", path("net"), "-o", path("net.varve"), "--map", path("net.toml")});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  const Ended lens =
      varve_run({"run", "logit-lens", path("net.varve"), "--probes", "repeat-random:prompts=2,period=3"});
  EXPECT_EQ(lens.exit_code, 0) << lens.err;
}

TEST_F(MapVerb, WithoutAMapTheMissingConfigIsNamedAndTheMapOffered) {
  const Ended ended = varve_run({"import", path("net/final.safetensors"), "-o", path("net.varve")});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("config.json"), HasSubstr("--map")));
}

TEST_F(MapVerb, ATensorThatIsNotMappedIsNamed) {
  const Ended draft = varve_run({"import", "--map-template", path("net")});
  std::string map = draft.out;
  const size_t at = map.find("\"blocks.*.attn.mask\"");
  ASSERT_NE(at, std::string::npos) << map;
  write_text(path("net.toml"), map.erase(at, std::string("\"blocks.*.attn.mask\"").size()));
  const Ended ended = varve_run({"import", path("net"), "-o", path("net.varve"), "--map", path("net.toml")});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("net.toml"), HasSubstr("blocks.0.attn.mask [6, 6]"), HasSubstr("ignore")));
}

TEST_F(MapVerb, AnImportNeedsSourceAndStore) {
  EXPECT_EQ(varve_run({"import"}).exit_code, 2);
  EXPECT_EQ(varve_run({"import", path("net")}).exit_code, 2);
}

}  // namespace
}  // namespace varve
