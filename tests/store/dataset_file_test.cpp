// Datasets as files: what goes in comes out, equal content is equal bytes, and xarray can read it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "tests/store/sample_data.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

constexpr int64_t test_limit = int64_t{1} << 30;

TEST(DatasetFile, KeepsEveryDtypeBitForBit) {
  const TempFolder folder;
  const Dataset data = sample_dataset();
  write_dataset(folder.path() / "a.h5", data);
  const Dataset back = read_dataset(folder.path() / "a.h5");
  EXPECT_TRUE(back.same_values(data));
  EXPECT_EQ(back["loss"].unit, "nats");
  EXPECT_EQ(back["loss"].title, "loss of each step");
  EXPECT_EQ(back.coord("step")->unit, "steps");
}

TEST(DatasetFile, KeepsWordsChecksAndEvents) {
  const TempFolder folder;
  const Dataset data = sample_dataset();
  write_dataset(folder.path() / "a.h5", data);
  const Dataset back = read_dataset(folder.path() / "a.h5");
  EXPECT_EQ(back.title, data.title);
  EXPECT_EQ(back.notes, data.notes);
  EXPECT_EQ(back.provenance, data.provenance);
  ASSERT_EQ(back.checks.size(), 2u);
  EXPECT_EQ(back.checks[0].residual, data.checks[0].residual);
  EXPECT_TRUE(std::isnan(back.checks[1].residual));
  EXPECT_EQ(back.checks[1].limit, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(back.checks[1].passed);
  ASSERT_EQ(back.events.size(), 1u);
  EXPECT_EQ(back.events[0].rule, "largest drop");
}

TEST(DatasetFile, EqualDatasetsGiveEqualBytes) {
  const TempFolder folder;
  write_dataset(folder.path() / "a.h5", sample_dataset());
  // Other work in between, so that recycled memory would show.
  Dataset other;
  other.set("noise", Array({"x"}, {5000}, std::vector<double>(5000, 3.25)));
  write_dataset(folder.path() / "other.h5", other);
  write_dataset(folder.path() / "b.h5", sample_dataset());
  EXPECT_EQ(read_file(folder.path() / "a.h5", test_limit), read_file(folder.path() / "b.h5", test_limit));
}

TEST(DatasetFile, KeepsTextThatIsNoUtf8OrHoldsAZero) {
  const TempFolder folder;
  Dataset data;
  const std::vector<std::string> texts{"", "plain", std::string("a\0b", 3), "\xff\xfe", "back\\slash", "é"};
  data.set("token", Array({"vocab"}, {6}, texts));
  write_dataset(folder.path() / "a.h5", data);
  EXPECT_TRUE(read_dataset(folder.path() / "a.h5").same_values(data));
}

TEST(DatasetFile, KeepsEmptyScalarAndOddlyNamedArrays) {
  const TempFolder folder;
  Dataset data;
  data.set("none", Array({"head"}, {0}, std::vector<float>{}));
  data.set("no words", Array({"head"}, {0}, std::vector<std::string>{}));
  data.set("answer", Array::scalar(42));
  data.set("blocks.0/mlp", Array({"pos"}, {2}, std::vector<float>{1, 2}));
  data.set("blocks.0_mlp", Array({"pos"}, {2}, std::vector<float>{3, 4}));
  data.set("pos", Array({"pos"}, {2}, std::vector<int64_t>{5, 6}));
  data.set("nothing", Array());
  write_dataset(folder.path() / "a.h5", data);
  EXPECT_TRUE(read_dataset(folder.path() / "a.h5").same_values(data));
}

TEST(DatasetFile, LeavesNothingBesideItself) {
  const TempFolder folder;
  write_dataset(folder.path() / "a.h5", sample_dataset());
  int64_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 1);
}

TEST(DatasetFile, SaysThatAFolderIsMissing) {
  const TempFolder folder;
  EXPECT_THROW(write_dataset(folder.path() / "missing" / "a.h5", sample_dataset()), Error);
}

TEST(DatasetFile, NamesAnAbsentOrForeignFile) {
  const TempFolder folder;
  const auto path = folder.path() / "a.h5";
  EXPECT_THROW(read_dataset(path), Error);
  std::ofstream(path) << "this is not HDF5";
  try {
    read_dataset(path);
    FAIL() << "garbage was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(path.string()));
    EXPECT_THAT(error.what(), testing::HasSubstr("run again"));
  }
}

// Its HDF5 part is for others: damaged and sealed anew, it changes values at most.
TEST(DatasetFile, IsReadWithoutItsHdf5Part) {
  const TempFolder folder;
  const auto path = folder.path() / "a.h5";
  write_dataset(path, sample_dataset());
  std::string whole = read_file(path, test_limit);
  const size_t line = whole.rfind("varve-seal 1 "),
               body = std::stoull(whole.substr(line + 13, 16), nullptr, 16);
  // Signature, root group, everything before the first value.
  std::fill(whole.begin(), whole.begin() + 400, '\xff');
  whole.replace(line + 47, 32, digest_of(whole.data(), body));
  std::ofstream(path, std::ios::binary) << whole;
  EXPECT_EQ(read_dataset(path)["words"].as<std::string>()[0], "eins");
}

TEST(DatasetFile, OpensInXarrayWithNamesTicksAndUnits) {
  if (std::system("/usr/bin/python3 -c 'import xarray, h5netcdf' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3 here has no xarray with h5netcdf";
  const TempFolder folder;
  write_dataset(folder.path() / "a.h5", sample_dataset());
  std::ofstream(folder.path() / "look.py") << R"(
import sys, numpy as np, xarray as xr
data = xr.open_dataset(sys.argv[1], engine="h5netcdf").load()
assert data["loss"].dims == ("step", "head"), data["loss"].dims
assert data["loss"].dtype == np.float32
assert data["loss"].attrs["units"] == "nats", data["loss"].attrs
assert data["loss"].attrs["long_name"] == "loss of each step"
assert list(data["step"].values) == [0, 10, 1000], data["step"]
assert data["step"].attrs["units"] == "steps"
assert "head" not in data.coords and data.sizes["head"] == 2
assert data["words"].dims == ("step",)
assert [str(w) for w in data["words"].values] == ["eins", "zw\u00f6i", ""], data["words"].values
assert data["exact"].dtype == np.float64 and data["exact"].values[0, 1] == 0.1
assert data["count"].dtype == np.int64 and data["count"].values[2] == 2**62 + 1
assert data["flag"].dtype == np.uint8
assert data.attrs["title"] == "A sample"
assert "h\u00e9llo" in data.attrs["notes"]
assert data["loss"].sel(step=10).values[1] == 4.0
print("seen")
)";
  const std::string command =
      "/usr/bin/python3 " + (folder.path() / "look.py").string() + " " + (folder.path() / "a.h5").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace varve
