// Tasks, changed activations, gradients, inputs and circuits, as a person asks for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "tests/support/program.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string traced(const std::vector<std::string>& more, const std::string& file) {
  std::vector<std::string> words{"trace",         series_folder(), "--step", "7000", "--text",
                                 "The king said", "--sites",       "logits", "-o",   file};
  words.insert(words.end(), more.begin(), more.end());
  const Ended ended = varve_run(words);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  const Ended seen = run_words({"/usr/bin/python3", "-c",
                                "import h5py, sys, hashlib\nf = h5py.File(sys.argv[1])\n"
                                "print(sorted(k for k in f if k.startswith('grad.')), "
                                "hashlib.md5(f['logits'][()].tobytes()).hexdigest())",
                                file});
  EXPECT_EQ(seen.exit_code, 0) << seen.err;
  return seen.out;
}

TEST(CircuitWords, APatchChangesTheOutputAndOneThatChangesNothingDoesNot) {
  const TempFolder folder;
  const std::string file = (folder.path() / "out.h5").string();
  const std::string plain = traced({}, file);
  EXPECT_EQ(traced({"--patch", "blocks.2.attn.z[head=3]=+0"}, file), plain);
  EXPECT_NE(traced({"--patch", "blocks.2.attn.z[head=3]=zero"}, file), plain);
}

TEST(CircuitWords, APatchThatFitsNoSiteNamesTheNearest) {
  const TempFolder folder;
  const Ended ended = varve_run({"trace", series_folder(), "--text", "a", "--sites", "logits", "--patch",
                                 "blocks.2.attn.zz=zero", "-o", (folder.path() / "x.h5").string()});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("blocks.2.attn.zz"), HasSubstr("blocks.2.attn.z")));
}

TEST(CircuitWords, GradientsStandBesideTheirSites) {
  const TempFolder folder;
  const std::string file = (folder.path() / "out.h5").string();
  EXPECT_THAT(traced({"--sites", "blocks.1.resid_post", "--grad-of", "nll"}, file),
              HasSubstr("grad.blocks.1.resid_post"));
}

TEST(CircuitWords, ATaskGivesACircuitThatIsExported) {
  const TinyStore store("7000");
  const Ended ran = varve_run({"run", "circuit", store.path(), "--task", "induction:pairs=4,period=6,seed=1",
                               "--set", "size=0.05", "--json"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const std::string key = nlohmann::json::parse(ran.out)["path"];
  const Ended edges = varve_run({"export", key, "--to", "edges-csv"});
  ASSERT_EQ(edges.exit_code, 0) << edges.err;
  EXPECT_GT(split(edges.out, '\n').size(), 5U);
  for (const std::string form : {"eap-json", "attribution-graph"}) {
    const Ended graph = varve_run({"export", key, "--to", form});
    ASSERT_EQ(graph.exit_code, 0) << graph.err;
    EXPECT_TRUE(nlohmann::json::parse(graph.out, nullptr, false).is_object()) << form;
  }
}

TEST(CircuitWords, AnAnalysisOfTasksSaysWhatItNeeds) {
  const TinyStore store("7000");
  const Ended ended = varve_run({"run", "edge-attribution", store.path(), "--text", "The king said"});
  EXPECT_EQ(ended.exit_code, 2) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("--task"));
}

}  // namespace
}  // namespace varve
