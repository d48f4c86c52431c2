// varve doctor: names the kernel in use, and needs no screen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

TEST(Doctor, NamesTheKernelInUse) {
  const Ended ended = varve_run({"doctor", "--json"}, {{"DISPLAY", ""}});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_FALSE(nlohmann::json::parse(ended.out)["kernel"].get<std::string>().empty());
}

}  // namespace
}  // namespace varve
