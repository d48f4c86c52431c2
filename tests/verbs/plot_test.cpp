// varve plot: a picture of a result, the same bytes each time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/core/text.h"
#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t picture_limit_bytes = 1 << 26;

// A store with a lens of one step, and that cell as STORE:KEY.
struct Lens {
  Lens() : store("0") {
    auto words = store.lens_words();
    words.push_back("--json");
    const auto json = nlohmann::json::parse(varve_run(words).out, nullptr, false);
    cell = store.path() + ":" + json["cells"][0]["key"].get<std::string>();
  }
  TinyStore store;
  std::string cell;
};

TEST(Plot, DrawsEachKindOfPicture) {
  const Lens lens;
  for (const auto& [ending, magic] : std::vector<std::pair<std::string, std::string>>{
           {"svg", "<?xml"}, {"pdf", "%PDF"}, {"png", "\x89PNG"}}) {
    const std::string file = lens.store.file("a." + ending);
    const Ended ended = varve_run({"plot", lens.cell, "-o", file});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_THAT(read_file(file, picture_limit_bytes), StartsWith(magic));
  }
}

TEST(Plot, GivesTheSameBytesAgain) {
  const Lens lens;
  const auto drawn = [&](const std::string& name) {
    EXPECT_EQ(varve_run({"plot", lens.cell, "--view", "lens-table", "--size", "700x400", "-o",
                         lens.store.file(name)})
                  .exit_code,
              0);
    return read_file(lens.store.file(name), picture_limit_bytes);
  };
  EXPECT_EQ(drawn("a.svg"), drawn("b.svg"));
}

TEST(Plot, WrongWordsAreUsageErrors) {
  const Lens lens;
  const std::string file = lens.store.file("a.svg");
  EXPECT_EQ(varve_run({"plot", lens.cell, "-o", lens.store.file("a.jpg")}).exit_code, 2);
  EXPECT_EQ(varve_run({"plot", lens.cell, "--size", "big", "-o", file}).exit_code, 2);
  EXPECT_EQ(varve_run({"plot", lens.cell, "--select", "nothing=1", "-o", file}).exit_code, 2);
  EXPECT_EQ(varve_run({"plot", lens.cell, "--theme", "pink", "-o", file}).exit_code, 2);
  const Ended view = varve_run({"plot", lens.cell, "--view", "lens-tabel", "-o", file});
  EXPECT_EQ(view.exit_code, 2);
  EXPECT_THAT(view.err, HasSubstr("lens-table"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace varve
