// The byte-level BPE tokenizer on vocabularies small enough for paper, and the laws that hold for all.
#include "analysis/model/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "analysis/core/error.h"
#include "analysis/model/byte_level.h"

namespace varve {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// All 256 bytes at ids 0..255, then one token for each merge.
json byte_tokenizer(const std::vector<std::pair<std::string, std::string>>& merges) {
  json vocab = json::object(), pairs = json::array();
  for (int byte = 0; byte < 256; ++byte) vocab[stand_in(static_cast<unsigned char>(byte))] = byte;
  for (const auto& [left, right] : merges) {
    pairs.push_back({left, right});
    vocab[left + right] = vocab.size();
  }
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", pairs}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}}};
}

json added(int id, const std::string& content, const json& more = json::object()) {
  json token = {{"id", id}, {"content", content}, {"special", true}, {"normalized", false}};
  token.update(more);
  return token;
}

json split(const std::string& regex, const std::string& behavior) {
  return {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", behavior}, {"invert", false}};
}

json sequence(const std::vector<json>& rules) { return {{"type", "Sequence"}, {"pretokenizers", rules}}; }

const json plain_byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};

std::vector<int64_t> ids(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int64_t> result;
  for (const Token& token : tokenizer.encode(text)) result.push_back(token.id);
  return result;
}
std::vector<int64_t> ids(const json& file, std::string_view text) {
  return ids(Tokenizer(file.dump()), text);
}

std::vector<std::string> shown(const json& file, std::string_view text) {
  const Tokenizer tokenizer(file.dump());
  std::vector<std::string> result;
  for (const Token& token : tokenizer.encode(text)) result.push_back(tokenizer.piece(token.id));
  return result;
}

std::string complaint(const std::string& text) {
  try {
    Tokenizer tokenizer(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
std::string complaint(const json& file) { return complaint(file.dump()); }

// Every pair of letters merges to a token, so that a word is one token and words can be counted.
json letter_merger() {
  return byte_tokenizer(
      {{"a", "b"}, {"ab", "c"}, {"\u0120", "a"}, {"\u0120", "abc"}, {"1", "2"}, {"12", "3"}});
}

TEST(Tokenizer, LowestRankIsJoinedFirstAndLeftmost) {
  EXPECT_THAT(ids(byte_tokenizer({{"b", "c"}, {"a", "b"}}), "abc"), ElementsAre('a', 256));
  EXPECT_THAT(ids(byte_tokenizer({{"a", "b"}, {"b", "c"}}), "abc"), ElementsAre(256, 'c'));
  EXPECT_THAT(ids(byte_tokenizer({{"a", "a"}}), "aaa"), ElementsAre(256, 'a'));
}

TEST(Tokenizer, MergesAsTextsAndAsPairsAreTheSame) {
  const json pairs = letter_merger();
  json texts = pairs;
  for (json& merge : texts["model"]["merges"]) {
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  }
  for (const char* text : {"abc abc", "a b c", "123abc", " abab"})
    EXPECT_EQ(ids(pairs, text), ids(texts, text));
}

TEST(Tokenizer, LongWordsMergeLikeShortOnes) {
  // A word above the heap's threshold is the plain algorithm's answer: join the pair of lowest rank,
  // leftmost.
  std::mt19937 random(7);
  const std::vector<std::pair<std::string, std::string>> merges = {
      {"a", "b"}, {"b", "a"}, {"ab", "ab"}, {"c", "a"}, {"ca", "b"}, {"abab", "c"}, {"b", "b"}};
  const Tokenizer tokenizer(byte_tokenizer(merges).dump());
  for (int trial = 0; trial < 50; ++trial) {
    std::string text(200, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    std::vector<std::string> slow;
    for (const char c : text) slow.emplace_back(1, c);
    for (bool joined = true; joined;) {
      joined = false;
      for (const auto& [left, right] : merges) {
        for (size_t i = 0; !joined && i + 1 < slow.size(); ++i) {
          if (slow[i] != left || slow[i + 1] != right) continue;
          slow[i] += slow[i + 1];
          slow.erase(slow.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          joined = true;
        }
        if (joined) break;
      }
    }
    std::vector<std::string> fast;
    for (const Token& token : tokenizer.encode(text)) fast.push_back(tokenizer.piece(token.id));
    ASSERT_EQ(fast, slow) << text;
  }
}

TEST(Tokenizer, AVeryLongWordIsNotQuadratic) {
  // 400,000 letters: a quadratic merge would need minutes, so the test's time limit is the assertion.
  const Tokenizer tokenizer(letter_merger().dump());
  std::string text;
  while (text.size() < 400'000) text += "abcab";
  EXPECT_EQ(tokenizer.encode(text).size(), 2 * text.size() / 5);
  EXPECT_EQ(tokenizer.encode(std::string(400'000, ' ')).size(), 400'000u);
}

TEST(Tokenizer, WordsAreCutAsGpt2CutsThem) {
  EXPECT_THAT(shown(letter_merger(), "abc abc  abc"), ElementsAre("abc", " abc", " ", " abc"));
  EXPECT_THAT(shown(letter_merger(), "abc123"), ElementsAre("abc", "123"));
}

TEST(Tokenizer, WhiteSpaceIsUnicodesOwn) {
  // U+180E is no white space in Unicode since 6.3, though PCRE2's \s takes it; U+0085 is.
  const json file = [] {
    json made = letter_merger();
    made["pre_tokenizer"] = sequence({split("\\s", "Removed"), plain_byte_level});
    return made;
  }();
  const Tokenizer tokenizer(file.dump());
  EXPECT_EQ(tokenizer.encode("\u180e").size(), 3u);
  EXPECT_EQ(tokenizer.encode("\u0085\u2003\u00a0 \n").size(), 0u);
}

TEST(Tokenizer, SplitBehavioursAreFiveDifferentThings) {
  const auto cut = [](const std::string& behavior) {
    json file = byte_tokenizer({{"a", "-"}, {"-", "b"}, {"-", "-"}, {"a", "--"}, {"--", "b"}, {"a--", "b"}});
    file["pre_tokenizer"] = sequence({split("-", behavior), plain_byte_level});
    return shown(file, "a--b");
  };
  EXPECT_THAT(cut("Isolated"), ElementsAre("a", "-", "-", "b"));
  EXPECT_THAT(cut("Removed"), ElementsAre("a", "b"));
  EXPECT_THAT(cut("MergedWithPrevious"), ElementsAre("a-", "-", "b"));
  EXPECT_THAT(cut("MergedWithNext"), ElementsAre("a", "-", "-b"));
  EXPECT_THAT(cut("Contiguous"), ElementsAre("a", "--", "b"));
}

TEST(Tokenizer, DigitsMayStandAlone) {
  json file = letter_merger();
  const json digits = {{"type", "Digits"}, {"individual_digits", true}};
  file["pre_tokenizer"] = sequence({digits, file["pre_tokenizer"]});
  EXPECT_THAT(shown(file, "abc123"), ElementsAre("abc", "1", "2", "3"));
}

TEST(Tokenizer, ModernPatternsCutNumbersInThrees) {
  json file = letter_merger();
  file["pre_tokenizer"] =
      sequence({split(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| )"
                      R"(?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
                      "Isolated"),
                plain_byte_level});
  EXPECT_THAT(shown(file, "123123abc"), ElementsAre("123", "123", "abc"));
}

TEST(Tokenizer, APrefixSpaceHasNoPlaceInTheText) {
  json file = letter_merger();
  file["pre_tokenizer"]["add_prefix_space"] = true;
  const std::vector<Token> tokens = Tokenizer(file.dump()).encode("abc");
  ASSERT_EQ(tokens.size(), 1u);
  EXPECT_EQ(Tokenizer(file.dump()).piece(tokens[0].id), " abc");
  EXPECT_EQ(tokens[0].begin, 0);
  EXPECT_EQ(tokens[0].end, 3);
  EXPECT_TRUE(Tokenizer(file.dump()).encode("").empty());
}

TEST(Tokenizer, AddedTokensAreCutOutFirstAndTheLongestWins) {
  json file = letter_merger();
  file["added_tokens"] = {added(500, "<a>"), added(501, "<a><b>")};
  EXPECT_THAT(ids(file, "x<a>x"), ElementsAre('x', 500, 'x'));
  EXPECT_THAT(ids(file, "<a><b><a>"), ElementsAre(501, 500));
  EXPECT_EQ(Tokenizer(file.dump()).size(), 502);
}

TEST(Tokenizer, AddedTokensStripWhatTheyAreToldTo) {
  json file = letter_merger();
  file["added_tokens"] = {added(500, "<l>", {{"lstrip", true}}), added(501, "<r>", {{"rstrip", true}}),
                          added(502, "word", {{"single_word", true}})};
  EXPECT_THAT(ids(file, "x \u2003<l> x"), ElementsAre('x', 500, ' ', 'x'));
  EXPECT_THAT(ids(file, "x <r> \nx"), ElementsAre('x', ' ', 501, 'x'));
  EXPECT_THAT(ids(file, "word"), ElementsAre(502));
  EXPECT_EQ(ids(file, "words").size(), 5u);
  EXPECT_EQ(ids(file, "\u00e9word").size(), 6u);
}

TEST(Tokenizer, ComposedTextKeepsItsPlaceInTheText) {
  json file = letter_merger();
  file["normalizer"] = {{"type", "NFC"}};
  const Tokenizer tokenizer(file.dump());
  const std::vector<Token> tokens = tokenizer.encode("xe\u0301y\xff");
  ASSERT_EQ(tokens.size(), 5u);
  EXPECT_EQ(tokens[1].id, 0xc3);
  EXPECT_EQ(tokens[2].id, 0xa9);
  for (const int i : {1, 2}) {
    EXPECT_EQ(tokens[i].begin, 1);
    EXPECT_EQ(tokens[i].end, 4);
  }
  EXPECT_EQ(tokens[3].begin, 4);
  EXPECT_EQ(tokens[4].id, 0xff);
  EXPECT_EQ(tokens[4].end, 6);
}

TEST(Tokenizer, IgnoreMergesTakesAWordWhole) {
  json file = letter_merger();
  file["model"]["vocab"]["xyz"] = 900;
  EXPECT_THAT(ids(file, "xyz"), ElementsAre('x', 'y', 'z'));
  file["model"]["ignore_merges"] = true;
  EXPECT_THAT(ids(file, "xyz"), ElementsAre(900));
}

TEST(Tokenizer, AnyBytesComeBackAsTheyWere) {
  json file = letter_merger();
  file["added_tokens"] = {added(500, "<a>"), added(501, "  ", {{"normalized", true}})};
  const Tokenizer tokenizer(file.dump());
  std::mt19937 random(11);
  const std::vector<std::string> parts = {"abc",
                                          " ",
                                          "<a>",
                                          "\xc3\xa9",
                                          "\xc3",
                                          "\xff\xfe",
                                          "\xed\xa0\x80",
                                          "\n",
                                          "12",
                                          "\0",
                                          "\xf0\x9f\x8e\x89",
                                          "\xf4\x90\x80\x80"};
  for (int trial = 0; trial < 300; ++trial) {
    std::string text;
    for (int i = 0; i < 20; ++i)
      text += random() % 4 ? parts[random() % parts.size()] : std::string(1, random() % 256);
    int64_t end = 0;
    std::vector<int64_t> found;
    for (const Token& token : tokenizer.encode(text)) {
      ASSERT_EQ(token.begin, end);
      end = token.end;
      found.push_back(token.id);
    }
    ASSERT_EQ(end, static_cast<int64_t>(text.size()));
    ASSERT_EQ(tokenizer.decode(found), text);
  }
}

TEST(Tokenizer, AnUnknownIdIsNamed) {
  const Tokenizer tokenizer(letter_merger().dump());
  EXPECT_EQ(tokenizer.piece(5000), "");
  for (const int64_t id : {int64_t{-1}, int64_t{5000}, int64_t{1} << 40}) {
    try {
      tokenizer.decode({id});
      ADD_FAILURE() << id;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::to_string(id)));
    }
  }
}

TEST(Tokenizer, AByteWithoutATokenIsNamedUnlessThereIsAnUnknownToken) {
  json file = letter_merger();
  file["model"]["vocab"].erase("x");
  const Tokenizer tokenizer(file.dump());
  EXPECT_THROW(tokenizer.encode("x"), Error);
  file["model"]["vocab"]["<unk>"] = 700;
  file["model"]["unk_token"] = "<unk>";
  EXPECT_THAT(ids(file, "axxb"), ElementsAre('a', 700, 700, 'b'));
  file["model"]["fuse_unk"] = true;
  EXPECT_THAT(ids(file, "axxb"), ElementsAre('a', 700, 'b'));
}

TEST(Tokenizer, OtherKindsAreRefusedByName) {
  const auto changed = [](const char* pointer, const json& value) {
    json file = letter_merger();
    file[json::json_pointer(pointer)] = value;
    return complaint(file);
  };
  EXPECT_THAT(changed("/model/type", "WordPiece"), HasSubstr("'WordPiece'; supported is BPE"));
  EXPECT_THAT(changed("/model/type", "Unigram"), HasSubstr("'Unigram'"));
  EXPECT_THAT(changed("/model/byte_fallback", true), HasSubstr("model.byte_fallback"));
  EXPECT_THAT(changed("/model/end_of_word_suffix", "</w>"), HasSubstr("model.end_of_word_suffix"));
  EXPECT_THAT(changed("/model/dropout", 0.1), HasSubstr("model.dropout"));
  EXPECT_THAT(changed("/pre_tokenizer", nullptr), HasSubstr("without ByteLevel"));
  EXPECT_THAT(changed("/pre_tokenizer/type", "Whitespace"), HasSubstr("'Whitespace'"));
  EXPECT_THAT(changed("/normalizer", {{"type", "Lowercase"}}), HasSubstr("'Lowercase'"));
  EXPECT_THAT(changed("/decoder/type", "Metaspace"), HasSubstr("decoder.type"));
}

TEST(Tokenizer, WrongFieldsAreNamedByTheirKey) {
  const auto changed = [](const char* pointer, const json& value) {
    json file = letter_merger();
    file["added_tokens"] = {added(500, "<a>")};
    file[json::json_pointer(pointer)] = value;
    return complaint(file);
  };
  EXPECT_THAT(changed("/model", 3), HasSubstr("model should be an object"));
  EXPECT_THAT(changed("/model/vocab", json::array()), HasSubstr("model.vocab"));
  EXPECT_THAT(changed("/model/vocab/a", -1), HasSubstr("model.vocab['a'] is -1"));
  EXPECT_THAT(changed("/model/vocab/a", 2147483648), HasSubstr("model.vocab['a']"));
  EXPECT_THAT(changed("/model/vocab/a", 18446744073709551615u), HasSubstr("model.vocab['a']"));
  EXPECT_THAT(changed("/model/vocab/a", 1.5), HasSubstr("model.vocab['a']"));
  EXPECT_THAT(changed("/model/vocab/a", 'b'), HasSubstr("both"));
  EXPECT_THAT(changed("/model/merges", "a b"), HasSubstr("model.merges"));
  EXPECT_THAT(changed("/model/merges/0", "ab"), HasSubstr("model.merges[0]"));
  EXPECT_THAT(changed("/model/merges/0", {"q", "q"}), HasSubstr("needs token 'qq'"));
  EXPECT_THAT(changed("/added_tokens/0/id", nullptr), HasSubstr("added_tokens[0].id"));
  EXPECT_THAT(changed("/added_tokens/0/id", 'a'), HasSubstr("belongs to 'a'"));
  EXPECT_THAT(changed("/added_tokens/0/lstrip", "yes"), HasSubstr("added_tokens[0].lstrip"));
  EXPECT_THAT(changed("/added_tokens/0", json::array()), HasSubstr("added_tokens[0]"));
}

TEST(Tokenizer, PatternsThatCannotBeMatchedAlikeAreRefused) {
  for (const char* pattern :
       {"[a-z&&[^b]]", "(?m:.)", "a{1,2}+", "\\h", "(", "[", "\\", "(*UTF)a", "\\C", "[\\W]", ""}) {
    json file = letter_merger();
    file["pre_tokenizer"] = sequence({split(pattern, "Isolated"), plain_byte_level});
    EXPECT_THAT(complaint(file), HasSubstr("pre_tokenizer")) << pattern;
  }
}

TEST(Tokenizer, AHostilePatternIsGivenUp) {
  json file = letter_merger();
  file["pre_tokenizer"] = sequence({split("(x+x+)+[yz]", "Isolated"), plain_byte_level});
  const Tokenizer tokenizer(file.dump());
  EXPECT_THROW(tokenizer.encode(std::string(5000, 'x')), Error);
}

TEST(Tokenizer, DeepNestingIsAnErrorNotACrash) {
  EXPECT_NE(complaint(std::string(1'000'000, '[')), "");
  std::string nested = "{\"normalizer\":";
  for (int i = 0; i < 100'000; ++i) nested += "{\"type\":\"Sequence\",\"normalizers\":[";
  EXPECT_NE(complaint(nested), "");
  for (int i = 0; i < 100'000; ++i) nested += "]}";
  EXPECT_NE(complaint(nested + "}"), "");
}

TEST(Tokenizer, ANumberTooLargeIsAnErrorNotACrash) { EXPECT_THROW(Tokenizer(R"({"model": 1e999})"), Error); }

TEST(Tokenizer, WhatIsNotFollowedIsNoted) {
  json file = letter_merger();
  EXPECT_TRUE(Tokenizer(file.dump()).notes().empty());
  file["truncation"] = {{"max_length", 4}};
  file["post_processor"] = {{"type", "TemplateProcessing"}};
  EXPECT_THAT(Tokenizer(file.dump()).notes(),
              ElementsAre(HasSubstr("truncation"), HasSubstr("TemplateProcessing")));
  EXPECT_EQ(ids(file, "x x x x").size(), 7u);
}

TEST(ShowPiece, ReadsAsPeopleReadIt) {
  EXPECT_EQ(show_piece(" the"), "\u2423the");
  EXPECT_EQ(show_piece("a b"), "a b");
  EXPECT_EQ(show_piece("  "), "\u2423\u2423");
  EXPECT_EQ(show_piece("\n\t\r"), "\u23ce\u21e5\\x0d");
  EXPECT_EQ(show_piece("\xc3\xa9\xc3"), "\xc3\xa9\\xc3");
  EXPECT_EQ(show_piece(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(show_piece("\xc2\x85"), "\\xc2\\x85");
}

}  // namespace
}  // namespace varve
