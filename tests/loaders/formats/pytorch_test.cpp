// PyTorch files, zip and older, give the tensors that were saved; what cannot be read is refused by name.
#include <gtest/gtest.h>

#include <random>

#include "loaders/format.h"
#include "loaders/npy.h"
#include "tests/support/expect_error.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/same_tensors.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using namespace pickled;

const fs::path fixtures = VARVE_SOURCE "/tests/loaders/formats/pytorch";

std::unique_ptr<TensorFile> open(const fs::path& file) { return formats().get("pytorch").open(file); }

void expect_same_file(const fs::path& file, const fs::path& truth) {
  SCOPED_TRACE(file.string());
  const auto found = open(file), expected = formats().get("safetensors").open(truth);
  expect_same_tensors(found->tensors(), expected->tensors());
}

TEST(PyTorch, EveryElementTypeIsReadFromBothFormats) {
  expect_same_file(fixtures / "types.pt", fixtures / "types.safetensors");
  expect_same_file(fixtures / "types-old.pt", fixtures / "types.safetensors");
}

TEST(PyTorch, ViewsWithOffsetsAndStridesAreWhatPyTorchMakesOfThem) {
  expect_same_file(fixtures / "views.pt", fixtures / "views.safetensors");
  expect_same_file(fixtures / "views-old.pt", fixtures / "views.safetensors");
}

TEST(PyTorch, TheModelIsFoundBesideItsOptimizerAndWithoutItsWrapper) {
  for (const char* name : {"training.pt", "training-old.pt"}) {
    expect_same_file(fixtures / name, fixtures / "training.safetensors");
    const auto file = open(fixtures / name);
    const FilePart& part = file->parts().at(0);
    EXPECT_EQ(part.step, 7);
    EXPECT_EQ(part.label, "model_state_dict");
    ASSERT_EQ(part.notes.size(), 1u);
    EXPECT_NE(part.notes[0].find("optimizer_state_dict"), std::string::npos);
  }
}

TEST(PyTorch, ARowOfTensorsLiesInTheFileAndIsNotCopied) {
  const auto file = open(fixtures / "views.pt");
  for (const FileTensor& tensor : file->tensors()) {
    const bool in_place =
        tensor.name == "base" || tensor.name == "row" || tensor.name == "one" || tensor.name == "half";
    if (tensor.view.bytes.empty()) continue;
    EXPECT_EQ(tensor.offset >= 0, in_place) << tensor.name;
  }
}

TEST(PyTorch, SeveralCheckpointsInOneFileAreParts) {
  const auto file = open(fixtures / "history.pt");
  const std::vector<FilePart>& parts = file->parts();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[2].label, "state_dicts[2]");
  EXPECT_EQ(parts[2].step, 200);
  float first = 0;
  std::memcpy(&first, parts[2].tensors.at(0).view.bytes.data(), sizeof first);
  EXPECT_EQ(first, 2);
  expect_error([&] { file->tensors(); }, {"3 checkpoints", "state_dicts[0]"});
}

TEST(PyTorch, WhatNoTensorHereCanHoldIsRefusedByName) {
  expect_error([] { open(fixtures / "complex.pt"); }, {"complex.pt", "'w'", "torch.ComplexFloatStorage"});
  expect_error([] { open(fixtures / "quantized.pt"); }, {"'w'", "torch._utils._rebuild_qtensor"});
  expect_error([] { open(fixtures / "sparse.pt"); }, {"'w'", "_rebuild_sparse_tensor", "dense"});
  expect_error([] { open(fixtures / "whole-model.pt"); }, {"torch.nn.modules.linear.Linear", "state_dict"});
}

TEST(PyTorch, PublishedGoldensEqualTheirSafetensors) {
  for (const char* name : {"gpt2", "gpt_neox"}) {
    const fs::path folder = fs::path(VARVE_SHARED "/goldens") / name;
    if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there";
    const auto found = open(folder / "pytorch_model.bin"),
               expected = formats().get("safetensors").open(folder / "model.safetensors");
    // The .bin keeps buffers and tied tensors that the safetensors file leaves out, never the other way
    // round.
    std::map<std::string, const FileTensor*> named;
    for (const FileTensor& tensor : found->tensors()) named[tensor.name] = &tensor;
    std::vector<FileTensor> common;
    for (const FileTensor& tensor : expected->tensors()) {
      ASSERT_TRUE(named.contains(tensor.name)) << tensor.name;
      common.push_back(*named[tensor.name]);
    }
    expect_same_tensors(common, expected->tensors());
  }
}

class MadeByHand : public ::testing::Test {
 protected:
  using Members = std::vector<std::pair<std::string, std::string>>;
  fs::path write(const std::string& content) {
    const fs::path path = folder_.path() / "x.pt";
    write_text(path, content);
    return path;
  }
  fs::path zip(const std::string& pickle, Members others = {}) {
    others.insert(others.begin(), {"x/data.pkl", pickle});
    return write(zip_bytes(others));
  }
  // One tensor 'w' over a storage of six floats.
  fs::path tensor_file(int64_t offset, const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                       int64_t elements = 6) {
    return zip(whole(dict({{"w", tensor(storage("FloatStorage", "0", elements), offset, shape, strides)}})),
               {{"x/data/0", std::string(24, 'x')}});
  }
  void expect_refused(const fs::path& file, std::vector<std::string> words) {
    words.push_back("x.pt");
    expect_error([&] { open(file); }, words);
  }
  TempFolder folder_;
};

TEST_F(MadeByHand, AViewBeyondItsStorageIsRefused) {
  EXPECT_NO_THROW(open(tensor_file(0, {2, 3}, {3, 1})));
  expect_refused(tensor_file(1, {2, 3}, {3, 1}), {"'w'", "beyond"});
  expect_refused(tensor_file(0, {2, 3}, {4, 1}), {"'w'", "beyond"});
  expect_refused(tensor_file(-1, {1}, {1}), {"'w'", "beyond"});
  expect_refused(tensor_file(0, {2}, {-1}), {"'w'", "negative stride"});
  expect_refused(tensor_file(INT64_MAX, {2}, {INT64_MAX}), {"'w'", "beyond"});
  expect_refused(tensor_file(0, {INT64_MAX, 2}, {1, 1}), {"'w'", "more elements"});
  expect_refused(tensor_file(0, {-1}, {1}), {"'w'", "-1"});
  expect_refused(tensor_file(0, {1, 1}, {1}), {"'w'", "strides"});
}

TEST_F(MadeByHand, TheStrideOfAnAxisOfOneMayBeAnything) {
  const auto file = open(tensor_file(1, {1, 5, 1}, {INT64_MAX, 1, INT64_MAX}));
  EXPECT_EQ(file->tensors().at(0).view.bytes.size(), 20u);
  EXPECT_GT(file->tensors().at(0).offset, 0);
}

TEST_F(MadeByHand, AViewThatRepeatsOneElementOverAndOverIsRefused) {
  expect_refused(tensor_file(0, {100'000'000}, {0}), {"'w'", "contiguous"});
}

TEST_F(MadeByHand, AStorageOfAnotherSizeIsRefused) {
  expect_refused(tensor_file(0, {2}, {1}, 7), {"'w'", "28", "24"});
  expect_refused(tensor_file(0, {2}, {1}, INT64_MAX), {"'w'", "claims a storage"});
  expect_refused(tensor_file(0, {2}, {1}, -1), {"'w'", "claims a storage"});
  expect_refused(zip(whole(dict({{"w", tensor(storage("FloatStorage", "7", 6), 0, {2}, {1})}}))),
                 {"'w'", "'7'", "not in the archive"});
}

TEST_F(MadeByHand, ABigEndianFileIsRefused) {
  expect_refused(zip(whole("}"), {{"x/byteorder", "big"}}), {"big", "little-endian"});
  EXPECT_NO_THROW(open(zip(whole("}"), {{"x/byteorder", "little"}})));
}

TEST_F(MadeByHand, CodeAndSecondObjectsInTheArchiveAreRefused) {
  expect_refused(zip(whole("}"), {{"x/constants.pkl", "x"}}), {"TorchScript", "state_dict"});
  expect_refused(zip(whole("}"), {{"y/data.pkl", whole("}")}}), {"x/data.pkl", "y/data.pkl"});
  expect_refused(write(zip_bytes({{"x/other", "1"}})), {"data.pkl"});
}

TEST_F(MadeByHand, NewerTensorsNameTheirTypeBesideAnUntypedStorage) {
  const std::string untyped = tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"),
                                     text("cpu"), integer(24)}) +
                              "Q";
  const auto v3 = [&](const std::string& dtype) {
    return zip(whole(dict({{"w", call(global("torch._utils", "_rebuild_tensor_v3"),
                                      {untyped, integer(1), numbers({2}), numbers({2}), "\x89", "}",
                                       global("torch", dtype), "}"})}})),
               {{"x/data/0", std::string(24, 'x')}});
  };
  const auto file = open(v3("bfloat16"));
  EXPECT_EQ(file->tensors().at(0).view.type, TensorType::bf16);
  EXPECT_EQ(file->tensors().at(0).view.bytes.size(), 4u);
  expect_refused(v3("float8_e4m3fn"), {"'w'", "torch.float8_e4m3fn"});
}

TEST_F(MadeByHand, AStateDictThatIsNotClearIsRefusedWithItsKeys) {
  const std::string w = tensor(storage("FloatStorage", "0", 6), 0, {6}, {1});
  const auto with = [&](const std::vector<std::pair<std::string, std::string>>& items) {
    return zip(whole(dict(items)), {{"x/data/0", std::string(24, 'x')}});
  };
  expect_refused(with({{"model", dict({{"w", w}})}, {"head", dict({{"w", w}})}}),
                 {"model, head", "not clear"});
  const auto both = open(with({{"a", dict({{"w", w}})}, {"b", dict({{"v", w}})}}));
  EXPECT_EQ(both->tensors().at(1).name, "b.v");
  const auto inner = open(with({{"model", dict({{"state_dict", dict({{"_orig_mod.module.w", w}})}})}}));
  EXPECT_EQ(inner->tensors().at(0).name, "w");
  EXPECT_EQ(inner->parts().at(0).label, "model.state_dict");
  // A name that only some tensors have in front belongs to the model.
  const auto mixed = open(with({{"module.w", w}, {"v", w}}));
  EXPECT_EQ(mixed->tensors().at(0).name, "module.w");
}

TEST_F(MadeByHand, ADictOfStepsIsASeriesAndOtherTensorsInItAreAnError) {
  const std::string w = tensor(storage("FloatStorage", "0", 6), 0, {6}, {1});
  const std::vector<std::pair<std::string, std::string>> data = {{"x/data/0", std::string(24, 'x')}};
  const auto file =
      open(zip(whole(dict({{"step_10", dict({{"w", w}})}, {"step_200", dict({{"w", w}})}})), data));
  ASSERT_EQ(file->parts().size(), 2u);
  EXPECT_EQ(file->parts()[1].step, 200);
  expect_refused(zip(whole(dict({{"step_10", dict({{"w", w}})}, {"step_200", dict({{"v", w}})}})), data),
                 {"different tensors"});
}

TEST_F(MadeByHand, ABrokenByteInTheWeightsIsFoundByTheirChecksum) {
  std::string bytes = read_text(fixtures / "types.pt");
  const auto where = open(fixtures / "types.pt")->tensors().at(1).offset;
  bytes[static_cast<size_t>(where)] ^= 1;
  expect_refused(write(bytes), {"checksum", "data/"});
}

TEST_F(MadeByHand, EveryCutOfBothFormatsIsAnError) {
  for (const char* name : {"views.pt", "views-old.pt"}) {
    const std::string whole_file = read_text(fixtures / name);
    for (size_t length = 0; length < whole_file.size(); length += 7)
      EXPECT_THROW(open(write(whole_file.substr(0, length))), Error) << name << " cut at " << length;
    EXPECT_THROW(open(write(whole_file + "x")), Error) << name;
  }
}

int64_t touch(const TensorFile& file) {
  int64_t sum = 0;
  for (const FilePart& part : file.parts())
    for (const FileTensor& tensor : part.tensors)
      for (const std::byte byte : tensor.view.bytes) sum += static_cast<int64_t>(byte);
  return sum;
}

TEST_F(MadeByHand, RandomDamageIsAnErrorOrHarmlessNeverACrash) {
  std::mt19937_64 random(1);
  int64_t refused = 0, sum = 0;
  const std::vector<std::string> victims = {read_text(fixtures / "views.pt"),
                                            read_text(fixtures / "views-old.pt"),
                                            read_text(fixtures / "training-old.pt")};
  for (int round = 0; round < 600; ++round) {
    std::string bytes = victims[static_cast<size_t>(round) % victims.size()];
    for (uint64_t flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << (random() % 8));
    try {
      sum += touch(*open(write(bytes)));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);
  EXPECT_GE(sum, 0);
}

TEST(PyTorch, AFileIsRecognisedByItsFirstBytes) {
  const Format& format = formats().get("pytorch");
  EXPECT_TRUE(format.recognises(fixtures / "types.pt"));
  EXPECT_TRUE(format.recognises(fixtures / "types-old.pt"));
  EXPECT_FALSE(format.recognises(fixtures / "stored.npz"));
  EXPECT_FALSE(format.recognises(fixtures / "types.safetensors"));
}

}  // namespace
}  // namespace varve
