// Trace files: sites at the root under their own names, written prompt by prompt, padded with NaN.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "analysis/core/error.h"
#include "analysis/store/run_store.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

TEST(TraceFile, PadsShortPromptsWithNan) {
  const TempFolder folder;
  const auto path = folder.path() / "t.h5";
  {
    TraceFile trace(path);
    trace.declare("blocks.0.resid_pre", {"prompt", "pos", "d_model"}, {3, 3, 2});
    trace.declare("blocks.0.attn.pattern", {"prompt", "head", "query", "key"}, {3, 1, 3, 3});
    const std::vector<float> residual{1, 2, 3, 4}, pattern{1, 0, 0.5, 0.5};
    trace.write("blocks.0.resid_pre", 1, {2, 2}, std::span<const float>(residual));
    trace.write("blocks.0.attn.pattern", 0, {1, 2, 2}, std::span<const float>(pattern));
    trace.add("lengths", Array({"prompt"}, {3}, std::vector<int64_t>{2, 2, 0}));
    trace.attribute("title", "a trace");
    EXPECT_FALSE(std::filesystem::exists(path));
    trace.publish();
  }
  const Dataset data = read_dataset(path);
  EXPECT_EQ(data.title, "a trace");
  const Array& residual = data["blocks.0.resid_pre"];
  EXPECT_EQ(residual.dtype(), Dtype::f32);
  EXPECT_EQ(residual.axes(), (std::vector<std::string>{"prompt", "pos", "d_model"}));
  const std::span<const float> values = residual.as<float>();
  for (size_t at = 0; at < values.size(); ++at)
    if (at >= 6 && at < 10)
      EXPECT_EQ(values[at], static_cast<float>(at - 5));
    else
      EXPECT_TRUE(std::isnan(values[at])) << at;
  const std::span<const float> seen = data["blocks.0.attn.pattern"].as<float>();
  EXPECT_EQ(seen[0], 1);
  EXPECT_EQ(seen[1], 0);
  EXPECT_TRUE(std::isnan(seen[2]));
  EXPECT_EQ(seen[3], 0.5);
  EXPECT_EQ(seen[4], 0.5);
  EXPECT_TRUE(std::isnan(seen[5]));
}

TEST(TraceFile, DoublesStayDoubles) {
  const TempFolder folder;
  TraceFile trace(folder.path() / "t.h5");
  trace.declare("embed", {"prompt", "pos"}, {1, 1});
  const std::vector<double> values{0.1};
  trace.write("embed", 0, {1}, std::span<const double>(values));
  trace.publish();
  EXPECT_EQ(read_dataset(folder.path() / "t.h5")["embed"].as<double>()[0], 0.1);
}

TEST(TraceFile, WithoutPublishNothingIsLeft) {
  const TempFolder folder;
  {
    TraceFile trace(folder.path() / "t.h5");
    trace.declare("embed", {"prompt", "pos"}, {1, 1});
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(TraceFile, RefusesWhatWasNotDeclared) {
  const TempFolder folder;
  TraceFile trace(folder.path() / "t.h5");
  trace.declare("embed", {"prompt", "pos"}, {1, 2});
  const std::vector<float> values{1, 2, 3};
  EXPECT_THROW(trace.write("other", 0, {2}, std::span<const float>(values)), Error);
  EXPECT_THROW(trace.write("embed", 0, {3}, std::span<const float>(values)), Error);
  EXPECT_THROW(trace.write("embed", 1, {2}, std::span<const float>(values)), Error);
  EXPECT_THROW(trace.declare("embed", {"prompt", "pos"}, {1, 2}), Error);
}

TEST(TraceFile, AnAxisOfTwoLengthsGetsTwoNames) {
  const TempFolder folder;
  TraceFile trace(folder.path() / "t.h5");
  trace.declare("a", {"prompt", "head"}, {1, 2});
  trace.declare("b", {"prompt", "head"}, {1, 4});
  trace.publish();
  const Dataset data = read_dataset(folder.path() / "t.h5");
  EXPECT_EQ(data["a"].extent("head"), 2);
  EXPECT_EQ(data["b"].extent("head_2"), 4);
}

TEST(TraceFile, H5pyFindsSitesAtTheRoot) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0)
    GTEST_SKIP() << "python3 here has no h5py";
  const TempFolder folder;
  TraceFile trace(folder.path() / "t.h5");
  trace.declare("blocks.0.resid_pre", {"prompt", "pos", "d_model"}, {1, 2, 2});
  const std::vector<float> values{1, 2, 3, 4};
  trace.write("blocks.0.resid_pre", 0, {2, 2}, std::span<const float>(values));
  trace.publish();
  std::ofstream(folder.path() / "look.py") << R"(
import sys, h5py
site = h5py.File(sys.argv[1])["blocks.0.resid_pre"]
assert site.dtype == "float32" and site[0].tolist() == [[1, 2], [3, 4]]
assert [d[0].name for d in site.dims] == ["/prompt", "/pos", "/d_model"]
)";
  const std::string command =
      "/usr/bin/python3 " + (folder.path() / "look.py").string() + " " + (folder.path() / "t.h5").string();
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace varve
