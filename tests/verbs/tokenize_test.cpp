// varve tokenize: ids, pieces and byte places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

TEST(Tokenize, OffsetsCoverTheText) {
  const std::string text = "The king said: na\xC3\xAFve [1, 2]";
  const Ended ended = varve_run({"tokenize", series_folder() + "/tokenizer.json", "--text", text, "--json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  int64_t end = 0;
  for (const auto& offset : json["offsets"]) {
    EXPECT_EQ(offset[0], end);
    end = offset[1];
  }
  EXPECT_EQ(end, static_cast<int64_t>(text.size()));
  EXPECT_EQ(json["ids"].size(), json["pieces"].size());
}

TEST(Tokenize, ATextInBracketsStaysOneText) {
  const Ended ended = varve_run({"tokenize", series_folder(), "--text", "[a,b]", "--json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(nlohmann::json::parse(ended.out)["bytes"], 5);
}

TEST(Tokenize, NeedsOneText) {
  EXPECT_EQ(varve_run({"tokenize", series_folder()}).exit_code, 2);
  EXPECT_EQ(varve_run({"tokenize", series_folder(), "--text", "a", "--file", "b"}).exit_code, 2);
}

}  // namespace
}  // namespace varve
