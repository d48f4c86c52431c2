// varve export: the same numbers in every form.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// steps 10 and 20, layers 0 to 2, and one array along the steps only.
std::string sample_file(const TempFolder& folder) {
  Dataset data;
  data.set("score", Array({"step", "layer"}, {2, 3}, std::vector<float>{0.1F, 1, 2, 3, 4, NAN}));
  data.set("label", Array({"step"}, {2}, std::vector<std::string>{"plain", "with, \"comma\""}));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{10, 20}));
  const std::string file = (folder.path() / "sample.h5").string();
  write_dataset(file, data);
  return file;
}

TEST(Export, CsvIsLongWithOneRowAPlace) {
  const TempFolder folder;
  const Ended ended = varve_run({"export", sample_file(folder), "--to", "csv"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const std::vector<std::string> lines = split(ended.out, '\n');
  EXPECT_EQ(lines[0], "step,layer,label,score");
  EXPECT_THAT(lines, testing::Contains("10,,plain,"));
  EXPECT_THAT(lines, testing::Contains("20,,\"with, \"\"comma\"\"\","));
  EXPECT_THAT(lines, testing::Contains(StartsWith("20,1,,4")));
}

TEST(Export, CsvTakesTheArraysNamed) {
  const TempFolder folder;
  const Ended ended = varve_run({"export", sample_file(folder), "--to", "csv", "--array", "sc*"});
  EXPECT_THAT(ended.out, StartsWith("step,layer,score\n10,0,"));
  EXPECT_EQ(varve_run({"export", sample_file(folder), "--to", "csv", "--array", "x"}).exit_code, 2);
}

TEST(Export, JsonHoldsShapesAndValues) {
  const TempFolder folder;
  const Ended ended = varve_run({"export", sample_file(folder), "--to", "json"});
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["arrays"]["score"]["shape"], nlohmann::json({2, 3}));
  EXPECT_EQ(json["arrays"]["score"]["values"][4], 4);
  EXPECT_TRUE(json["arrays"]["score"]["values"][5].is_null());
  EXPECT_EQ(json["coords"]["step"], nlohmann::json({10, 20}));
}

TEST(Export, NumpyReadsTheNpz) {
  const TempFolder folder;
  const std::string out = (folder.path() / "out.npz").string();
  ASSERT_EQ(varve_run({"export", sample_file(folder), "--to", "npz", "-o", out}).exit_code, 0);
  const Ended ended =
      run_words({"/usr/bin/python3", "-c",
                 "import numpy, sys; a = numpy.load(sys.argv[1]); print(a['score'].dtype, "
                 "a['score'].shape, a['score'][1, 1], a['label'][1], a['coord_step'].tolist())",
                 out});
  EXPECT_EQ(ended.out, "float32 (2, 3) 4.0 with, \"comma\" [10, 20]\n") << ended.err;
}

TEST(Export, NetcdfIsTheResultAgain) {
  const TempFolder folder;
  const std::string in = sample_file(folder), out = (folder.path() / "out.nc").string();
  ASSERT_EQ(varve_run({"export", in, "--to", "netcdf", "-o", out}).exit_code, 0);
  EXPECT_TRUE(read_dataset(out).same_values(read_dataset(in)));
}

TEST(Export, TakesAResultOfAStoreByItsKey) {
  const TinyStore store("0");
  auto words = store.lens_words();
  words.push_back("--json");
  const std::string key = nlohmann::json::parse(varve_run(words).out)["cells"][0]["key"];
  EXPECT_EQ(varve_run({"export", store.path() + ":" + key.substr(0, 12), "--to", "json"}).exit_code, 0);
  EXPECT_EQ(varve_run({"export", store.path() + ":zzz", "--to", "json"}).exit_code, 3);
}

TEST(Export, AnUnknownFormNamesTheNearest) {
  const TempFolder folder;
  const Ended ended = varve_run({"export", sample_file(folder), "--to", "cvs"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("did you mean 'csv'"));
}

TEST(Export, AFileThatIsNoResultIsNamed) {
  const Ended ended = varve_run({"export", series_folder() + "/README.md", "--to", "csv"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("README.md"));
}

}  // namespace
}  // namespace varve
