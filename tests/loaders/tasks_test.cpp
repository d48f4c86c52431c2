// Tasks from files and templates: what they hold, and what is refused by name.
#include "loaders/tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "analysis/core/text.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

std::string demo_tokenizer() {
  return read_file(std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox/tokenizer.json", 1 << 30);
}
constexpr int64_t vocab = 1024;

class Tasks : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(temp_.path() / name) << text;
    return (temp_.path() / name).string();
  }
  TempFolder temp_;
};

TEST_F(Tasks, AreReadFromTomlAndJsonLines) {
  write("pairs.jsonl",
        "{\"clean\": [5, 6, 7], \"corrupted\": [5, 8, 7], \"correct\": 6, \"incorrect\": [8, 9]}\n\n"
        "{\"clean\": [1, 2], \"correct\": 3, \"position\": 0}\n");
  const Probes task =
      read_task(write("task.toml", "name = \"mine\"\ndata = \"pairs.jsonl\"\nfirst = 0\n"), "", vocab);
  EXPECT_EQ(task.name, "task mine");
  ASSERT_EQ(task.prompts.size(), 2u);
  EXPECT_EQ(task.prompts[0], (std::vector<int64_t>{0, 5, 6, 7}));
  EXPECT_EQ(task.questions[0].corrupted, (std::vector<int64_t>{0, 5, 8, 7}));
  EXPECT_EQ(task.questions[0].incorrect, (std::vector<int64_t>{8, 9}));
  EXPECT_EQ(task.questions[0].position, -1);
  EXPECT_TRUE(task.questions[1].corrupted.empty());
  EXPECT_EQ(task.questions[1].position, 0);
}

TEST_F(Tasks, TextIsTokenisedAndAnswersAreSingleTokens) {
  const std::string tokenizer = demo_tokenizer();
  const Probes task = read_task(
      write("t.jsonl", "{\"clean\": \"the king\", \"corrupted\": \"the king\", \"correct\": \"a\"}\n"),
      tokenizer, vocab);
  EXPECT_EQ(task.prompts[0], task.questions[0].corrupted);
  EXPECT_EQ(task.questions[0].correct, std::vector<int64_t>{single_token(Tokenizer(tokenizer), "a")});
  const std::string several = write("u.jsonl", "{\"clean\": \"a\", \"correct\": \"Constantinople\"}\n");
  expect_error([&] { read_task(several, tokenizer, vocab); }, {"Constantinople", "one token"});
}

TEST_F(Tasks, PairsOfUnequalLengthAreRefused) {
  const std::string path = write("t.jsonl", "{\"clean\": [1, 2], \"corrupted\": [1], \"correct\": 3}\n");
  expect_error([&] { read_task(path, "", vocab); }, {"line 1", "2 tokens", "equally long", "leave-out"});
}

TEST_F(Tasks, PairsThatDoNotFitAreLeftOutWhereTheTaskSaysSoAndCounted) {
  write("pairs.jsonl",
        "{\"clean\": \"the king\", \"corrupted\": \"the king\", \"correct\": \"a\"}\n"
        "{\"clean\": \"the king\", \"corrupted\": \"Constantinople\", \"correct\": \"a\"}\n"
        "{\"clean\": \"the king\", \"correct\": \"Constantinople\"}\n");
  const std::string leaving = write("t.toml", "data = \"pairs.jsonl\"\nunfit = \"leave-out\"\n");
  const Probes task = read_task(leaving, demo_tokenizer(), vocab);
  EXPECT_EQ(task.prompts.size(), 1u);
  EXPECT_NE(task.name.find("1 of 3 pairs"), std::string::npos) << task.name;
  const std::string refusing = write("u.toml", "data = \"pairs.jsonl\"\n");
  expect_error([&] { read_task(refusing, demo_tokenizer(), vocab); }, {"line 2", "equally long"});
  const std::string odd = write("v.toml", "data = \"pairs.jsonl\"\nunfit = \"ignore\"\n");
  expect_error([&] { read_task(odd, demo_tokenizer(), vocab); }, {"unfit", "ignore"});
  write("pairs.jsonl", "{\"clean\": [1, 2], \"corrupted\": [1], \"correct\": 3}\n");
  expect_error([&] { read_task(leaving, "", vocab); }, {"none of its 1 pairs fits", "line 1"});
  // What is malformed is refused all the same.
  write("pairs.jsonl", "{\"clean\": [1, 2], \"correct\": 3.5}\n");
  expect_error([&] { read_task(leaving, "", vocab); }, {"line 1", "3.5"});
}

TEST_F(Tasks, WhatIsWrongIsNamedWithItsLine) {
  const auto refused = [&](const std::string& line, const std::vector<std::string>& words) {
    const std::string path = write("t.jsonl", "{\"clean\": [1], \"correct\": 3}\n" + line);
    expect_error([&] { read_task(path, "", vocab); }, words);
  };
  refused("nonsense", {"line 2", "JSON"});
  refused("{\"clean\": [1], \"corect\": 3}", {"line 2", "corect", "correct"});
  refused("{\"clean\": [1], \"correct\": 5000}", {"5000"});
  refused("{\"clean\": \"text\", \"correct\": 3}", {"line 2", "tokenizer"});
  expect_error([&] { read_task("inducton", "", vocab); }, {"inducton", "induction"});
  expect_error([&] { read_task(write("t.toml", "data = 3\n"), "", vocab); }, {"data", "text"});
}

TEST_F(Tasks, InductionAsksForWhatFollowedBefore) {
  const Probes task = read_task("induction:pairs=20,period=9,seed=3", "", vocab);
  ASSERT_EQ(task.prompts.size(), 20u);
  for (size_t i = 0; i < 20; ++i) {
    const std::vector<int64_t>& ids = task.prompts[i];
    EXPECT_EQ(ids[0], 0);
    const auto before = std::find(ids.begin() + 1, ids.end() - 1, ids.back());
    EXPECT_EQ(*(before + 1), task.questions[i].correct[0]);
    const std::vector<int64_t>& other = task.questions[i].corrupted;
    const auto there = std::find(other.begin() + 1, other.end() - 1, ids.back());
    EXPECT_EQ(*(there + 1), task.questions[i].incorrect[0]);
    int64_t changed = 0;
    for (size_t at = 0; at < ids.size(); ++at) changed += ids[at] == other[at] ? 0 : 1;
    EXPECT_EQ(changed, 2);
  }
  EXPECT_EQ(task.digest(), read_task("induction:pairs=20,period=9,seed=3", "", vocab).digest());
  EXPECT_NE(task.digest(), read_task("induction:pairs=20,period=9,seed=4", "", vocab).digest());
}

TEST_F(Tasks, PreviousTokenAsksForTheTokenBefore) {
  const Probes task = read_task("previous-token:pairs=4,repeats=3,first=-1", "", vocab);
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(task.prompts[i].size(), 7u);
    EXPECT_EQ(task.prompts[i][5], task.questions[i].correct[0]);
    EXPECT_EQ(task.questions[i].corrupted[5], task.questions[i].incorrect[0]);
  }
}

TEST_F(Tasks, TemplatesCheckThatTheirWordsAreSingleTokens) {
  const std::string tokenizer = demo_tokenizer();
  for (const char* made : {"ioi:pairs=4", "greater-than:pairs=4"}) {
    try {
      const Probes task = read_task(made, tokenizer, vocab);
      EXPECT_EQ(task.prompts.size(), 4u);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("token"), std::string::npos) << error.what();
    }
    expect_error([&] { read_task(made, "", vocab); }, {"tokenizer"});
  }
}

// A tokenizer of whole words, so that names and years are single tokens.
std::string word_tokenizer() {
  std::string vocabulary, merges;
  int64_t id = 0;
  std::set<std::string> known;
  const auto add = [&](const std::string& word) {
    if (!known.insert(word).second) return;
    vocabulary += (id == 0 ? "\"" : ",\"") + word + "\":" + std::to_string(id);
    ++id;
  };
  for (char c = '!'; c <= '~'; ++c)
    if (c != '"' && c != '\\') add(std::string(1, c));
  add("\xc4\xa0");
  const auto merge = [&](const std::string& left, const std::string& right) {
    if (known.count(left + right) > 0) return;
    merges += (merges.empty() ? "\"" : ",\"") + left + " " + right + "\"";
    add(left + right);
  };
  for (char a = '0'; a <= '9'; ++a)
    for (char b = '0'; b <= '9'; ++b) merge(std::string(1, a), std::string(1, b));
  for (const std::string name : {"Mary", "John", "Tom", "Anna"}) {
    std::string so_far = "\xc4\xa0";
    for (const char c : name) {
      merge(so_far, std::string(1, c));
      so_far += c;
    }
  }
  return R"({"model":{"type":"BPE","vocab":{)" + vocabulary + R"(},"merges":[)" + merges +
         R"(]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},"decoder":{"type":"ByteLevel"},)"
         R"("normalizer":null,"post_processor":null,"added_tokens":[]})";
}

TEST_F(Tasks, IndirectObjectsNameThreePeople) {
  const std::string json = word_tokenizer();
  const Tokenizer tokenizer(json);
  const Probes task = read_task("ioi:pairs=12,seed=1", json, tokenizer.size());
  for (size_t i = 0; i < 12; ++i) {
    const Question& question = task.questions[i];
    const std::vector<int64_t>& ids = task.prompts[i];
    const auto times = [](const std::vector<int64_t>& all, int64_t id) {
      return std::count(all.begin(), all.end(), id);
    };
    EXPECT_EQ(times(ids, question.correct[0]), 1);
    EXPECT_EQ(times(ids, question.incorrect[0]), 2);
    EXPECT_EQ(times(question.corrupted, question.incorrect[0]), 1);
    EXPECT_EQ(ids.size(), question.corrupted.size());
  }
}

TEST_F(Tasks, GreaterYearsAreRight) {
  const std::string json = word_tokenizer();
  const Tokenizer tokenizer(json);
  const Probes task = read_task("greater-than:pairs=8", json, tokenizer.size());
  for (const Question& question : task.questions) {
    EXPECT_EQ(question.correct.size() + question.incorrect.size(), 100u);
    EXPECT_FALSE(question.correct.empty());
  }
}

TEST_F(Tasks, PublishedPromptsLoad) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "real/prompts-eap";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no published prompts";
  const std::string json = word_tokenizer();
  const Probes years = read_task((folder / "greater_than_data.csv").string(), json, Tokenizer(json).size());
  EXPECT_GT(years.prompts.size(), 100u);
  EXPECT_EQ(years.questions[0].incorrect.size(), 53u);  // 00 to 52
  // Its ids are those of another tokenizer; with this one names are several tokens, and the check says so.
  expect_error([&] { read_task((folder / "ioi_llama.csv").string(), demo_tokenizer(), 200000); },
               {"ioi_llama.csv, row 1", "equally long", "leave-out"});
  std::ofstream(temp_.path() / "ioi.toml")
      << "data = \"" << (folder / "ioi_llama.csv").string() << "\"\nunfit = \"leave-out\"\n";
  const Probes some = read_task((temp_.path() / "ioi.toml").string(), demo_tokenizer(), 200000);
  EXPECT_FALSE(some.prompts.empty());
  EXPECT_NE(some.name.find("of 499 pairs"), std::string::npos) << some.name;
}

}  // namespace
}  // namespace varve
