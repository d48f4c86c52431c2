// varve import: adds what is missing, takes what is there, and names the file that cannot be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Import, AddsOnlyWhatIsMissing) {
  const TinyStore store("0,16");
  ASSERT_EQ(store.imported.exit_code, 0) << store.imported.err;
  const Ended again =
      varve_run({"import", series_folder(), "-o", store.path(), "--steps", "0,16,64", "--json"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const auto json = nlohmann::json::parse(again.out);
  EXPECT_EQ(json["added"], 1);
  EXPECT_EQ(json["already"], 2);
}

TEST(Import, LinkedWeightsStayWhereTheyAre) {
  const TempFolder folder;
  const std::string path = (folder.path() / "linked.varve").string();
  ASSERT_EQ(varve_run({"import", series_folder(), "-o", path, "--steps", "0", "--link"}).exit_code, 0);
  EXPECT_EQ(varve_run({"verify", path}).exit_code, 0);
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  constexpr int64_t far_below_the_weights = 400000;  // one checkpoint holds 535,000 bytes
  EXPECT_LT(bytes, far_below_the_weights);
}

TEST(Import, AMissingSourceIsBadInput) {
  const TempFolder folder;
  const Ended ended = varve_run({"import", "/nowhere/at/all", "-o", (folder.path() / "a.varve").string()});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("/nowhere/at/all"));
}

TEST(Import, ADamagedFileIsNamed) {
  const TempFolder folder;
  const auto source = folder.path() / "model";
  std::filesystem::create_directory(source);
  std::filesystem::copy_file(series_folder() + "/step0/config.json", source / "config.json");
  std::ofstream(source / "model.safetensors") << "this is no safetensors file at all";
  const Ended ended = varve_run({"import", source.string(), "-o", (folder.path() / "a.varve").string()});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("model.safetensors"));
}

TEST(Import, AStepThatIsNotThereIsNamed) {
  const TempFolder folder;
  const Ended ended =
      varve_run({"import", series_folder(), "-o", (folder.path() / "a.varve").string(), "--steps", "17"});
  EXPECT_THAT(ended.exit_code, testing::AnyOf(2, 3));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("17"), HasSubstr("16")));
}

}  // namespace
}  // namespace varve
