// varve verify: 0 for a whole store, 1 and the file's name for a damaged one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;

TEST(Verify, AWholeStoreIsDone) {
  const TinyStore store("0,1");
  const Ended ended = varve_run({"verify", store.path(), "--json"});
  EXPECT_EQ(ended.exit_code, 0) << ended.out << ended.err;
  EXPECT_EQ(nlohmann::json::parse(ended.out)["ok"], true);
}

TEST(Verify, OneChangedByteOfTheWeightsIsFound) {
  const TinyStore store("0");
  std::filesystem::path weights;
  for (const auto& entry : std::filesystem::directory_iterator(store.path() + "/weights"))
    weights = entry.path();
  std::fstream file(weights, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(weights) / 2));
  file.put('\x5a').put('\x5a').put('\x5a').put('\x5a');
  file.close();
  const Ended ended = varve_run({"verify", store.path()});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.out, HasSubstr(weights.filename().string()));
}

TEST(Verify, AFolderThatIsNoStoreIsBadInput) {
  EXPECT_EQ(varve_run({"verify", series_folder()}).exit_code, 3);
}

}  // namespace
}  // namespace varve
