// NumPy arrays as files of tensors: npy, npz and pickles of arrays.
#include <gtest/gtest.h>

#include "loaders/format.h"
#include "loaders/npy.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/same_tensors.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
const fs::path fixtures = VARVE_SOURCE "/tests/loaders/formats/pytorch";

// Version 1 header around data as they are.
std::string npy(const std::string& type, const std::string& order, const std::string& shape,
                const std::string& data) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

class NumpyFiles : public ::testing::Test {
 protected:
  std::unique_ptr<TensorFile> open(const std::string& format, const std::string& content) {
    path_ = folder_.path() / ("weights." + format);
    write_text(path_, content);
    return formats().get(format).open(path_);
  }
  TempFolder folder_;
  fs::path path_;
};

TEST_F(NumpyFiles, OneArrayIsOneTensorNamedAfterItsFile) {
  const auto file = open("npy", npy("<f4", "False", "(2, 3)", std::string(24, 'x')));
  const FileTensor& tensor = file->tensors().at(0);
  EXPECT_EQ(tensor.name, "weights");
  EXPECT_EQ(tensor.view.type, TensorType::f32);
  EXPECT_EQ(tensor.view.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensor.offset, 128);
  EXPECT_TRUE(formats().get("npy").recognises(path_));
  EXPECT_FALSE(formats().get("npz").recognises(path_));
}

TEST_F(NumpyFiles, ColumnMajorArraysAreTurned) {
  const auto file = open("npy", npy("|u1", "True", "(2, 3)", "abcdef"));
  const std::span<const std::byte> bytes = file->tensors().at(0).view.bytes;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "acebdf");
}

TEST_F(NumpyFiles, WhatIsNoPlainArrayOfNumbersIsRefusedByName) {
  const auto refuse = [this](const std::string& type, const std::vector<std::string>& words) {
    expect_error([&] { open("npy", npy(type, "False", "(1,)", std::string(8, 'x'))); }, words);
  };
  refuse("|O", {"weights.npy", "'|O'"});
  refuse("<c8", {"'<c8'", "astype"});
  refuse("<U2", {"'<U2'"});
  refuse(">f8", {"big-endian", "astype('<f8')"});
  refuse("<f4", {"8 bytes", "4"});
}

TEST_F(NumpyFiles, ShapesThatOverflowAreRefused) {
  for (const char* shape :
       {"(4294967296, 4294967296)", "(9223372036854775807, 2)", "(99999999999999999999,)", "(-1,)", "(3,)"})
    expect_error([&] { open("npy", npy("<f4", "False", shape, "12345678")); }, {"weights.npy"});
}

TEST_F(NumpyFiles, StoredAndPackedArchivesHoldTheSameArrays) {
  const auto expected = formats().get("safetensors").open(fixtures / "arrays.safetensors");
  for (const char* name : {"stored.npz", "packed.npz"}) {
    SCOPED_TRACE(name);
    EXPECT_TRUE(formats().get("npz").recognises(fixtures / name));
    const auto file = formats().get("npz").open(fixtures / name);
    expect_same_tensors(file->tensors(), expected->tensors());
  }
}

TEST_F(NumpyFiles, AnArchiveOfOtherThingsIsRefused) {
  expect_error([&] { open("npz", zip_bytes({{"a.npy", "no array"}})); }, {"weights.npz", "'a'"});
  const std::string array = npy("|u1", "False", "(1,)", "x");
  expect_error([&] { open("npz", zip_bytes({{"a.npy", array}, {"a", array}})); }, {"'a'", "twice"});
}

TEST_F(NumpyFiles, APickleOfArraysIsRecognisedByItsProtocol) {
  EXPECT_TRUE(formats().get("pickle").recognises(fixtures / "arrays-4.pkl"));
  EXPECT_FALSE(formats().get("pickle").recognises(fixtures / "stored.npz"));
}

}  // namespace
}  // namespace varve
