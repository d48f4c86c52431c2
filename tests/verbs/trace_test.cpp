// varve trace: sites of one checkpoint in a file that other programs open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;

// Names, shapes and NaN counts as h5py sees them.
nlohmann::json seen_by_h5py(const std::string& file) {
  const std::string script =
      "import h5py, json, sys\nimport numpy as np\n"
      "f = h5py.File(sys.argv[1])\n"
      "print(json.dumps({k: {'shape': list(v.shape), 'dtype': str(v.dtype), 'nan': "
      "int(np.isnan(v[()]).sum())} "
      "for k, v in f.items() if isinstance(v, h5py.Dataset)}))\n";
  const Ended ended = run_words({"/usr/bin/python3", "-c", script, file});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return nlohmann::json::parse(ended.out, nullptr, false);
}

TEST(Trace, WritesOneArrayASiteWithShortPromptsFilled) {
  const TempFolder folder;
  const std::string file = (folder.path() / "out.h5").string();
  const Ended ended = varve_run({"trace", series_folder(), "--step", "16", "--text", "The king said",
                                 "--text", "A", "--sites", "blocks.0.hook_resid_pre,blocks.*.attn.pattern",
                                 "--sites", "logits", "-o", file});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto seen = seen_by_h5py(file);
  const int64_t longest = seen["tokens"]["shape"][1];
  EXPECT_EQ(seen["blocks.0.resid_pre"]["shape"], nlohmann::json({2, longest, 64}));
  EXPECT_EQ(seen["blocks.3.attn.pattern"]["shape"], nlohmann::json({2, 4, longest, longest}));
  EXPECT_EQ(seen["logits"]["dtype"], "float32");
  EXPECT_EQ(seen["blocks.0.resid_pre"]["nan"], (longest - 1) * 64);
  EXPECT_EQ(seen["lengths"]["shape"], nlohmann::json({2}));
}

TEST(Trace, AStoreGivesTheSameBytesAsItsSource) {
  const TinyStore store("16");
  const auto trace = [&](const std::string& source, const std::string& name) {
    const Ended ended = varve_run({"trace", source, "--step", "16", "--text", "The king said", "--sites",
                                   "logits", "-o", store.file(name)});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    const Ended sum =
        run_words({"/usr/bin/python3", "-c",
                   "import h5py, sys, hashlib; print(hashlib.md5(h5py.File(sys.argv[1])['logits'][()]"
                   ".tobytes()).hexdigest())",
                   store.file(name)});
    EXPECT_EQ(sum.exit_code, 0) << sum.err;
    return sum.out;
  };
  EXPECT_EQ(trace(store.path(), "a.h5"), trace(series_folder(), "b.h5"));
}

TEST(Trace, RefusedUsageNamesTheRightWords) {
  const TempFolder folder;
  const std::string file = (folder.path() / "out.h5").string();
  const std::vector<std::string> words = {"trace", series_folder(), "--text", "a", "-o", file};
  auto site = words, mode = words, step = words;
  site.insert(site.end(), {"--sites", "blocks.0.resid_pret"});
  mode.insert(mode.end(), {"--sites", "logits", "--compute", "bf8"});
  step.insert(step.end(), {"--sites", "logits", "--step", "17"});
  EXPECT_EQ(varve_run(site).exit_code, 2);
  EXPECT_THAT(varve_run(site).err, HasSubstr("blocks.0.resid_pre"));
  EXPECT_EQ(varve_run(mode).exit_code, 2);
  EXPECT_THAT(varve_run(mode).err, HasSubstr("f32, f64, bf16"));
  EXPECT_EQ(varve_run(step).exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(file));
}

// Compared by Python, which reads the files without any of our code.
std::string worst_gap(const std::filesystem::path& one, const std::filesystem::path& other) {
  return run_words(
             {"/usr/bin/python3", "-c",
              "import h5py, numpy, sys\n"
              "a, b = (h5py.File(f)['logits'][...] for f in sys.argv[1:])\n"
              "print(numpy.nanmax(numpy.abs(a - b)) < float(5e-5 * max(1, numpy.nanmax(numpy.abs(a)))))",
              one.string(), other.string()})
      .out;
}

TEST(Trace, EveryKernelTheVariableNamesComputesTheSame) {
  const TempFolder folder;
  const auto traced = [&](const std::string& kernel) {
    const std::filesystem::path file = folder.path() / ("k" + kernel + ".h5");
    const Ended ended = varve_run(
        {"trace", series_folder(), "--text", "The king said", "--sites", "logits", "-o", file.string()},
        {{"VARVE_KERNEL", kernel}});
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return file;
  };
  const std::filesystem::path fastest = traced("");
  EXPECT_EQ(worst_gap(fastest, traced("plain")), "True\n");
  const Ended wrong = varve_run(
      {"trace", series_folder(), "--text", "a", "--sites", "logits", "-o", (folder.path() / "x.h5").string()},
      {{"VARVE_KERNEL", "fastest"}});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("plain"));
}

TEST(Trace, Bf16PrintsItsErrorAgainstF32) {
  const TempFolder folder;
  const Ended ended = varve_run({"trace", series_folder(), "--text", "The king said", "--sites", "logits",
                                 "--compute", "bf16", "-o", (folder.path() / "b.h5").string()});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("differ from f32 by at most"));
}

TEST(Trace, ATokenBeyondTheVocabularyIsBadInputAndLeavesNoFile) {
  const TempFolder folder;
  const std::string file = (folder.path() / "out.h5").string(), ids = (folder.path() / "ids.npy").string();
  ASSERT_EQ(run_words({"/usr/bin/python3", "-c",
                       "import numpy, sys; numpy.save(sys.argv[1], numpy.array([[1, 2000]]))", ids})
                .exit_code,
            0);
  const Ended ended = varve_run({"trace", series_folder(), "--tokens", ids, "--sites", "logits", "-o", file});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("2000"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()) ||
              std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

}  // namespace
}  // namespace varve
