// Safetensors files read as they are, and every way to lie in one refused.
#include <gtest/gtest.h>

#include <random>

#include "loaders/format.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

class Safetensors : public ::testing::Test {
 protected:
  std::unique_ptr<TensorFile> open(const std::string& content) {
    const fs::path path = folder_.path() / "x.safetensors";
    write_text(path, content);
    return formats().get("safetensors").open(path);
  }
  void expect_refused(const std::string& content, std::vector<std::string> words) {
    words.push_back("x.safetensors");
    expect_error([&] { open(content); }, words);
  }
  TempFolder folder_;
};

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

TEST_F(Safetensors, TensorsHaveTheirTypeShapeOffsetAndBytes) {
  const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}," +
                             entry("b", "BF16", "[2,1]", "[6,10]") + "," + entry("a", "U8", "[6]", "[0,6]") +
                             "," + entry("none", "F64", "[0,3]", "[10,10]") + "," +
                             entry("one", "I64", "[]", "[10,18]") + "}  ";
  const std::unique_ptr<TensorFile> file = open(raw_safetensors(header, "abcdefghij12345678"));
  const std::vector<FileTensor>& tensors = file->tensors();
  ASSERT_EQ(tensors.size(), 4u);
  EXPECT_EQ(tensors[0].name, "a");
  EXPECT_EQ(tensors[1].name, "b");
  EXPECT_EQ(tensors[1].view.type, TensorType::bf16);
  EXPECT_EQ(tensors[1].view.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(tensors[1].offset, static_cast<int64_t>(8 + header.size() + 6));
  EXPECT_EQ(std::memcmp(tensors[1].view.bytes.data(), "ghij", 4), 0);
  EXPECT_EQ(tensors[2].view.bytes.size(), 0u);
  EXPECT_EQ(tensors[3].view.count(), 1);
}

TEST_F(Safetensors, AllTenTypesAreRead) {
  const std::pair<const char*, TensorType> known[] = {
      {"F64", TensorType::f64},     {"F32", TensorType::f32}, {"F16", TensorType::f16},
      {"BF16", TensorType::bf16},   {"I64", TensorType::i64}, {"I32", TensorType::i32},
      {"I16", TensorType::i16},     {"I8", TensorType::i8},   {"U8", TensorType::u8},
      {"BOOL", TensorType::boolean}};
  for (const auto& [name, type] : known) {
    const auto bytes = static_cast<size_t>(2 * size_of(type));
    const std::string header = "{" + entry("t", name, "[2]", "[0," + std::to_string(bytes) + "]") + "}";
    const auto file = open(raw_safetensors(header, std::string(bytes, 'x')));
    EXPECT_EQ(file->tensors().at(0).view.type, type) << name;
  }
}

TEST_F(Safetensors, AFileTooShortForALengthIsRefused) {
  expect_refused("", {});
  expect_refused("abc", {"too few"});
}

TEST_F(Safetensors, AHeaderLongerThanTheFileIsRefused) {
  expect_refused(std::string("\x40\0\0\0\0\0\0\0{}", 10), {"past the end", "64"});
}

TEST_F(Safetensors, AHeaderOfAbsurdLengthIsRefused) {
  expect_refused(std::string(8, '\xff') + "{}", {"100000000"});
}

TEST_F(Safetensors, AHeaderThatIsNoObjectIsRefused) {
  expect_refused(raw_safetensors("[1,2]", ""), {"{"});
  expect_refused(raw_safetensors("{\"a\":", ""), {"not JSON"});
  expect_refused(raw_safetensors("{\"a\":5}", ""), {"'a'", "dtype"});
}

TEST_F(Safetensors, AHeaderThatIsNotUtf8IsRefused) {
  expect_refused(raw_safetensors("{" + entry("\xff\xfe", "U8", "[1]", "[0,1]") + "}", "x"), {"UTF-8"});
}

TEST_F(Safetensors, ANameThatOccursTwiceIsRefused) {
  const std::string header =
      "{" + entry("w", "U8", "[1]", "[0,1]") + "," + entry("w", "U8", "[1]", "[1,2]") + "}";
  expect_refused(raw_safetensors(header, "xy"), {"'w'", "twice"});
}

TEST_F(Safetensors, AKeyThatOccursTwiceInOneTensorIsRefused) {
  const std::string header = R"({"w":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}})";
  expect_refused(raw_safetensors(header, "x"), {"'dtype'", "twice"});
}

TEST_F(Safetensors, ATruncatedFileIsRefusedWithTheTensorNamed) {
  const std::string whole = safetensors_of({{"first", counted({4}, 1)}, {"last", counted({4}, 2)}});
  expect_refused(whole.substr(0, whole.size() - 1), {"'last'", "cut short"});
}

TEST_F(Safetensors, OverlappingOffsetsAreRefused) {
  const std::string header =
      "{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[4]", "[2,6]") + "}";
  expect_refused(raw_safetensors(header, "123456"), {"'b'", "overlap"});
}

TEST_F(Safetensors, DescendingOffsetsAreRefused) {
  expect_refused(raw_safetensors("{" + entry("a", "U8", "[4]", "[4,0]") + "}", "1234"),
                 {"'a'", "before it begins"});
}

TEST_F(Safetensors, AGapBetweenTensorsIsRefused) {
  const std::string header =
      "{" + entry("a", "U8", "[2]", "[0,2]") + "," + entry("b", "U8", "[2]", "[3,5]") + "}";
  expect_refused(raw_safetensors(header, "12345"), {"'b'", "gap"});
}

TEST_F(Safetensors, BytesAfterTheLastTensorAreRefused) {
  expect_refused(raw_safetensors("{" + entry("a", "U8", "[2]", "[0,2]") + "}", "12345"), {"3 bytes follow"});
}

TEST_F(Safetensors, AShapeThatDoesNotFillItsBytesIsRefused) {
  expect_refused(raw_safetensors("{" + entry("a", "F32", "[3]", "[0,8]") + "}", "12345678"),
                 {"'a'", "12", "8"});
}

TEST_F(Safetensors, SizesThatOverflowAreRefused) {
  const char* shapes[] = {"[9223372036854775808]", "[18446744073709551615]", "[4294967296,4294967296]",
                          "[9223372036854775807,2]", "[4611686018427387904,4]"};
  for (const char* shape : shapes)
    expect_refused(raw_safetensors("{" + entry("a", "F32", shape, "[0,0]") + "}", ""), {"'a'"});
}

TEST_F(Safetensors, OffsetsPastTheEndOfTheNumbersAreRefused) {
  const char* offsets[] = {"[0,18446744073709551615]",
                           "[18446744073709551614,18446744073709551615]",
                           "[-1,0]",
                           "[0,1e3]",
                           "[0]",
                           "[0,1,2]",
                           "{}",
                           "[\"0\",\"1\"]"};
  for (const char* pair : offsets)
    expect_refused(raw_safetensors("{" + entry("a", "U8", "[1]", pair) + "}", "x"), {"'a'"});
}

TEST_F(Safetensors, SizesThatAreNoWholeNumbersAreRefused) {
  for (const char* shape : {"[-1]", "[1.5]", "[null]", "[\"1\"]", "7", "[[1]]", "[true]"})
    expect_refused(raw_safetensors("{" + entry("a", "U8", shape, "[0,1]") + "}", "x"), {"'a'"});
}

TEST_F(Safetensors, AnUnknownTypeIsNamed) {
  expect_refused(raw_safetensors("{" + entry("a", "F8_E4M3", "[1]", "[0,1]") + "}", "x"),
                 {"'a'", "F8_E4M3", "BF16"});
}

TEST_F(Safetensors, DeepNestingIsRefused) {
  expect_refused(raw_safetensors("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}", ""),
                 {"nests"});
}

TEST_F(Safetensors, AFileIsRecognisedByItsFirstBytes) {
  const fs::path path = folder_.path() / "weights";
  const Format& format = formats().get("safetensors");
  write_text(path, safetensors_of({{"w", counted({2}, 1)}}));
  EXPECT_TRUE(format.recognises(path));
  write_text(path, "PK\x03\x04 and so on and on");
  EXPECT_FALSE(format.recognises(path));
}

// Touches every byte a tensor claims, so that a sanitizer sees a view that leaves the file.
int64_t touch(const TensorFile& file) {
  int64_t sum = 0;
  for (const FileTensor& tensor : file.tensors())
    for (const std::byte byte : tensor.view.bytes) sum += static_cast<int64_t>(byte);
  return sum;
}

TEST_F(Safetensors, RandomDamageIsAnErrorOrHarmlessNeverACrash) {
  std::vector<std::string> victims = {safetensors_of(small_neox().tensors)};
  const fs::path real = VARVE_SHARED "/series/tiny-neox/step0/model.safetensors";
  if (fs::exists(real)) victims.push_back(read_text(real));
  std::mt19937_64 random(1);
  int64_t refused = 0, sum = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = victims[static_cast<size_t>(round) % victims.size()];
    if (round % 3 == 0) {
      bytes.resize(random() % bytes.size());
    } else {
      // Most of the damage goes where it can mislead: into the length and the header.
      const size_t reach = round % 3 == 1 ? 6000 : 200;
      for (uint64_t flips = 1 + random() % 4; flips > 0; --flips)
        bytes[random() % std::min(reach, bytes.size())] ^= static_cast<char>(1u << (random() % 8));
    }
    try {
      sum += touch(*open(bytes));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_GE(sum, 0);
}

}  // namespace
}  // namespace varve
