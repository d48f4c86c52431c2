// The program as a whole: help, versions, shared options, wrong words and exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "app/verbs/verb.h"
#include "tests/support/program.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Program, HelpListsEveryVerbWithItsSummary) {
  const Ended ended = varve_run({"--help"});
  EXPECT_EQ(ended.exit_code, 0);
  for (const Verb& verb : verbs().items()) {
    EXPECT_THAT(ended.out, HasSubstr("  " + verb.name + " "));
    EXPECT_THAT(ended.out, HasSubstr(verb.summary));
  }
}

TEST(Program, EveryVerbHelpsWithASummaryAndAnExample) {
  for (const Verb& verb : verbs().items()) {
    const Ended ended = varve_run({verb.name, "--help"});
    EXPECT_EQ(ended.exit_code, 0) << verb.name;
    EXPECT_THAT(ended.out, AllOf(HasSubstr(verb.summary), HasSubstr("Example:"), HasSubstr(verb.example)));
    EXPECT_EQ(ended.err, "");
  }
}

TEST(Program, TellsItsVersion) {
  const Ended ended = varve_run({"--version"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "varve " VARVE_VERSION "\n");
}

TEST(Program, NoVerbIsWrongUsage) { EXPECT_EQ(varve_run({}).exit_code, 2); }

TEST(Program, AnUnknownVerbNamesTheNearest) {
  const Ended ended = varve_run({"improt", "x"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("did you mean 'import'"));
}

TEST(Program, AnUnknownOptionNamesTheNearest) {
  const Ended ended = varve_run({"import", "x", "-o", "y", "--stepz", "1"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("varve import:"), HasSubstr("did you mean '--steps'")));
}

TEST(Program, AMissingWordIsNamed) {
  const Ended ended = varve_run({"info"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("PATH"));
}

TEST(Program, WordsOfLaterIssuesSaySo) {
  for (const std::string verb : {"submit", "replay", "train"}) {
    const Ended ended = varve_run({verb, "x"});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.err, HasSubstr("not built yet"));
  }
}

TEST(Program, SharedOptionsStandBeforeOrAfterTheVerb) {
  const Ended before = varve_run({"--json", "--threads", "1", "list", "families"});
  const Ended after = varve_run({"list", "families", "--threads=1", "--json"});
  EXPECT_EQ(before.exit_code, 0);
  EXPECT_EQ(before.out, after.out);
  EXPECT_TRUE(nlohmann::json::parse(before.out).is_array());
}

TEST(Program, SharedOptionsAreChecked) {
  EXPECT_EQ(varve_run({"doctor", "--threads", "0"}).exit_code, 2);
  EXPECT_EQ(varve_run({"doctor", "--threads", "many"}).exit_code, 2);
  EXPECT_EQ(varve_run({"doctor", "--threads"}).exit_code, 2);
  EXPECT_EQ(varve_run({"doctor", "--max-memory", "much"}).exit_code, 2);
}

TEST(Program, ErrorsAreJsonWhereJsonIsAskedFor) {
  const Ended ended = varve_run({"info", "/nowhere/at/all", "--json"});
  EXPECT_EQ(ended.exit_code, 3);
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["exit"], 3);
  EXPECT_THAT(json["error"].get<std::string>(), HasSubstr("/nowhere/at/all"));
  EXPECT_THAT(ended.err, HasSubstr("varve info: /nowhere/at/all"));
}

TEST(Program, StartsAgainWithoutAnInheritedKernel) {
  const Ended ended =
      varve_run({"doctor", "--json"}, {{"OPENBLAS_CORETYPE", "Prescott"}, {"VARVE_KERNEL_CHECKED", ""}});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_NE(nlohmann::json::parse(ended.out)["kernel"], "Prescott");
  EXPECT_THAT(ended.out, HasSubstr("OPENBLAS_CORETYPE=Prescott was dropped"));
}

}  // namespace
}  // namespace varve
