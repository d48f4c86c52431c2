// varve report: a folder that needs nothing but a browser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "analysis/core/text.h"
#include "tests/support/program.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr int64_t page_limit_bytes = 1 << 26;

TEST(Report, EveryFileItLinksIsThereAndNothingIsFetched) {
  const TinyStore store("0,1,16");
  ASSERT_EQ(varve_run(store.lens_words()).exit_code, 0);
  const std::string folder = store.file("report");
  const Ended ended = varve_run({"report", store.path(), "-o", folder});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const std::string page = read_file(folder + "/index.html", page_limit_bytes);
  EXPECT_THAT(page, AllOf(Not(HasSubstr("http://")), Not(HasSubstr("https://")), Not(HasSubstr("<script"))));
  const std::regex link("(?:src|href)=\"([^#\"]+)\"");
  int64_t links = 0;
  for (std::sregex_iterator at(page.begin(), page.end(), link), end; at != end; ++at, ++links)
    EXPECT_TRUE(std::filesystem::exists(folder + "/" + (*at)[1].str())) << (*at)[1].str();
  EXPECT_GE(links, 10);
  EXPECT_THAT(page, AllOf(HasSubstr("logit-lens over the series"), HasSubstr("logit-lens at step 16"),
                          HasSubstr("checks")));
}

}  // namespace
}  // namespace varve
