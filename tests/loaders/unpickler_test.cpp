// Pickles are read as data, and those that want more are refused without running any of it.
#include "loaders/pickle/unpickler.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "loaders/format.h"
#include "tests/support/expect_error.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/same_tensors.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using namespace pickled;

const fs::path fixtures = VARVE_SOURCE "/tests/loaders/formats/pytorch";

// A literal keeps the zeros in it.
template <size_t N>
std::string bytes(const char (&literal)[N]) {
  return {literal, N - 1};
}

PickleTree read(const std::string& pickle) { return read_pickle(pickle, "x.pkl"); }

void expect_refused(const std::string& pickle, std::vector<std::string> words) {
  words.push_back("x.pkl");
  expect_error([&] { read(pickle); }, words);
}

TEST(Unpickler, NumbersOfAllOpcodesAreRead) {
  const std::string pickle = bytes(
      "]q\0(I-7\nI01\nL12345678901L\nJ\xfe\xff\xff\xffK\xc8M\x01\x02\x8a\x01\xff\x8a\0F1.5\n"
      "G\xc0\x04\0\0\0\0\0\0\x88\x89Ne.");
  const PickleTree tree = read(pickle);
  const auto items = tree.items(tree.root);
  ASSERT_EQ(items.size(), 13u);
  const int64_t expected[] = {-7, 1, 12345678901, -2, 200, 513, -1, 0};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(tree.integer(items[i]), expected[i]) << i;
  EXPECT_EQ(tree.real(items[8]), 1.5);
  EXPECT_EQ(tree.real(items[9]), -2.5);
  EXPECT_EQ(tree.kind(items[12]), PickleKind::none);
}

TEST(Unpickler, TextsOfAllOpcodesAreRead) {
  const std::string pickle = bytes(
      "(S'a\\'\\n\\x41\\101'\nVb\\u00e9\\U0001f600\nT\1\0\0\0cU\1dX\1\0\0\0e\x8c\1f"
      "\x8d\1\0\0\0\0\0\0\0gB\1\0\0\0hC\1i\x8e\1\0\0\0\0\0\0\0j\x96\1\0\0\0\0\0\0\0kt.");
  const PickleTree tree = read(pickle);
  const auto items = tree.items(tree.root);
  const char* expected[] = {"a'\nAA", "b\xc3\xa9\xf0\x9f\x98\x80", "c", "d", "e", "f", "g", "h", "i", "j",
                            "k"};
  ASSERT_EQ(items.size(), std::size(expected));
  for (size_t i = 0; i < items.size(); ++i) EXPECT_EQ(tree.text(items[i]), expected[i]);
  EXPECT_EQ(tree.kind(items[8]), PickleKind::bytes);
}

TEST(Unpickler, EveryProtocolOfPythonGivesTheSameArrays) {
  const auto expected = formats().get("safetensors").open(fixtures / "arrays.safetensors");
  for (int protocol = 0; protocol < 6; ++protocol) {
    SCOPED_TRACE(protocol);
    const auto file = formats().get("pickle").open(fixtures / fmt::format("arrays-{}.pkl", protocol));
    expect_same_tensors(file->tensors(), expected->tensors());
  }
}

TEST(Unpickler, BytesBehindTheEndAreRefused) { expect_refused("N.N.", {"2 bytes follow", "second one"}); }

TEST(Unpickler, EveryGlobalOutsideTheListIsRefusedByName) {
  const std::pair<const char*, const char*> hostile[] = {{"os", "system"},
                                                         {"posix", "system"},
                                                         {"builtins", "eval"},
                                                         {"__builtin__", "exec"},
                                                         {"builtins", "getattr"},
                                                         {"builtins", "__import__"},
                                                         {"torch", "load"},
                                                         {"torch.serialization", "load"},
                                                         {"torch", "_utils"},
                                                         {"numpy", "load"},
                                                         {"torch.nn", "Linear"},
                                                         {"collections", "namedtuple"},
                                                         {"numpy.core", "multiarray"},
                                                         {"", ""},
                                                         {"copyreg", "_reconstructor"}};
  for (const auto& [module, name] : hostile) {
    const std::string both = std::string(module) + "." + name;
    expect_refused(global(module, name) + ".", {both});
    expect_refused("\x80\x04" + text(module) + text(name) + "\x93.", {both});
    expect_refused("(i" + std::string(module) + "\n" + name + "\n.", {both});
    expect_refused("(" + global(module, name) + "o.", {both});
    // Also where it is thrown away again at once.
    expect_refused(global(module, name) + "0N.", {both});
  }
  expect_refused("\x80\x04" + text("os\nsystem\x1b[2J") + text("x") + "\x93.", {"os\\x0asystem\\x1b[2J.x"});
}

TEST(Unpickler, KnownGlobalsAreNeverMoreThanData) {
  expect_refused(call(global("collections", "OrderedDict"), {integer(1)}) + ".", {"OrderedDict"});
  expect_refused(call(global("torch", "FloatStorage"), {}) + ".", {"torch.FloatStorage"});
  expect_refused(call(global("builtins", "int"), {text("1")}) + ".", {"builtins.int"});
  expect_refused(text("a") + ")R.", {"called"});
  expect_refused(global("collections", "OrderedDict") + "NR.", {"OrderedDict"});
  expect_refused(global("torch", "Size") + "}b.", {"attributes"});
  expect_refused(call(global("_codecs", "encode"), {text("x"), text("rot13")}) + ".", {"_codecs.encode"});
  const std::string inner =
      tuple({global("collections", "OrderedDict"), global("torch", "Tensor"), tuple({}), "}"});
  expect_refused(global("torch._tensor", "_rebuild_from_type_v2") + inner + "R.", {"_rebuild_from_type_v2"});
}

TEST(Unpickler, StacksAndNotesAreNeverTakenOnTrust) {
  expect_refused("", {"without STOP"});
  expect_refused("N", {"without STOP"});
  expect_refused(".", {"0 values"});
  expect_refused("NN.", {"2 values"});
  expect_refused("(.", {"STOP"});
  expect_refused("a.", {"more values than there are"});
  expect_refused("N(0.", {"more values than there are"});
  expect_refused("t.", {"mark"});
  expect_refused("h\x05.", {"never noted"});
  expect_refused("}(Nu.", {"no value"});
  expect_refused("NNa.", {"holds no such items"});
  expect_refused("]Na(a.", {"more values"});
  expect_refused("\xff.", {"0xff"});
  expect_refused("\x80\x06N.", {"protocol"});
  expect_refused("P1\n.", {"0x50"});
  expect_refused("\x82\x01.", {"0x82"});
  expect_refused("NQ.", {"outside itself"});
  expect_refused("Ix\n.", {"whole number"});
  expect_refused("F1.5.2\n.", {"no number"});
  expect_refused("S'a\n.", {"literal"});
  expect_refused("V\\uZZZZ\n.", {"literal"});
}

TEST(Unpickler, SizesLargerThanTheFileAreRefusedBeforeMemoryIsAskedFor) {
  expect_refused(bytes("X\xff\xff\xff\xff") + "a.", {"4294967295", "cut short"});
  expect_refused("\x8d" + std::string(8, '\xff') + ".", {"18446744073709551615"});
  expect_refused("\x8e" + std::string(8, '\x7f') + ".", {"cut short"});
  expect_refused("\x8b" + std::string(4, '\xff') + ".", {"cut short"});
  expect_refused("\x95" + std::string(8, '\xff') + ".", {"frame"});
  EXPECT_NO_THROW(read(bytes("Nr\xff\xff\xff\xff.")));  // a note's number is a name, not a size
}

TEST(Unpickler, ALoopInTheDataIsReadAndItsTensorsAreNotFoundTwice) {
  const TempFolder folder;
  write_text(folder.path() / "loop.pkl", whole("}q\x01" + text("self") + "h\x01s"));
  const auto file = formats().get("pickle").open(folder.path() / "loop.pkl");
  EXPECT_TRUE(file->tensors().empty());
}

TEST(Unpickler, ContainersThatShareEachOtherADozenTimesAreBounded) {
  // Thirty lists, each holding the one before twice: a thousand million paths to one array.
  std::string pickle = read_text(fixtures / "arrays-2.pkl");
  pickle.pop_back();
  for (int level = 0; level < 30; ++level)
    pickle += "r" + number(1000 + static_cast<uint64_t>(level), 4) + "0](j" +
              number(1000 + static_cast<uint64_t>(level), 4) + "j" +
              number(1000 + static_cast<uint64_t>(level), 4) + "e";
  const TempFolder folder;
  write_text(folder.path() / "tree.pkl", pickle + ".");
  expect_error([&] { formats().get("pickle").open(folder.path() / "tree.pkl"); }, {"tree.pkl"});
}

TEST(Unpickler, DeepNestingIsRefusedAndDoesNotRecurse) {
  std::string pickle = read_text(fixtures / "arrays-2.pkl");
  pickle.pop_back();
  for (int level = 0; level < 100'000; ++level) pickle += "\x85";
  const TempFolder folder;
  write_text(folder.path() / "deep.pkl", pickle + ".");
  expect_error([&] { formats().get("pickle").open(folder.path() / "deep.pkl"); },
               {"deep.pkl", "nests deeper"});
}

TEST(Unpickler, EveryCutOfEveryProtocolIsAnError) {
  for (int protocol = 0; protocol < 6; ++protocol) {
    const std::string pickle = read_text(fixtures / fmt::format("arrays-{}.pkl", protocol));
    for (size_t length = 0; length < pickle.size(); ++length)
      EXPECT_THROW(read(pickle.substr(0, length)), Error) << protocol << " cut at " << length;
  }
}

// The program a hostile pickle would run makes a file; Python runs it, and here it is refused.
TEST(HostilePickles, WouldRunInPythonAndDoNothingHere) {
  const TempFolder folder;
  const fs::path marker = folder.path() / "ran";
  const std::string command = "touch " + marker.string();
  const std::string code = "open('" + marker.string() + "','w').close()";
  const std::string hostile[] = {
      global("posix", "system") + tuple({text(command)}) + "R.",
      "\x80\x04" + text("posix") + text("system") + "\x93" + text(command) + "\x85R.",
      global("builtins", "exec") + tuple({text(code)}) + "R.",
      "(" + text(command) + "iposix\nsystem\n.",
      "(" + global("posix", "system") + text(command) + "o.",
      "]" + global("builtins", "eval") + tuple({text(code)}) + "R0.",
      whole(dict({{"w", global("posix", "system") + tuple({text(command)}) + "R"}}))};
  for (const std::string& pickle : hostile) {
    const fs::path file = folder.path() / "hostile.pkl";
    write_text(file, pickle);
    EXPECT_THROW(formats().get("pickle").open(file), Error);
    EXPECT_THROW(formats().get("pytorch").open(file), Error);
    EXPECT_FALSE(fs::exists(marker)) << "it was run";
    run_words({"/usr/bin/python3", "-c", "import pickle; pickle.load(open('" + file.string() + "', 'rb'))"});
    EXPECT_TRUE(fs::exists(marker)) << "Python does not run this one, so the test proves nothing";
    fs::remove(marker);
  }
}

TEST(HostilePickles, AllOfPicklescanAreRefusedAndTheBenignAreRead) {
  const fs::path data = VARVE_SHARED "/real/picklescan/data";
  if (!fs::exists(data)) GTEST_SKIP() << data << " is not there";
  const TempFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  int refused = 0, benign = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(data)) {
    const std::string name = entry.path().filename().string();
    const std::string ending = entry.path().extension().string();
    const Format& format = formats().get(ending == ".pkl" || ending == ".pickle" ? "pickle" : "pytorch");
    if (name.starts_with("benign0")) {
      EXPECT_NO_THROW(format.open(entry.path())) << name;
      ++benign;
    } else if (name == "new_pytorch_model.bin" || name == "pytorch_model.bin") {
      EXPECT_FALSE(format.open(entry.path())->tensors().empty()) << name;
      ++benign;
    } else {
      EXPECT_THROW(format.open(entry.path()), Error) << name;
      ++refused;
    }
  }
  EXPECT_TRUE(fs::is_empty(folder.path())) << "something was run";
  fs::current_path(before);
  EXPECT_EQ(benign, 5);
  EXPECT_GE(refused, 35);
}

TEST(HostilePickles, PlainContainersFromRealExperimentsAreRead) {
  const fs::path data = VARVE_SHARED "/real/olmoe-routing/scripts/routing_output";
  if (!fs::exists(data)) GTEST_SKIP() << data << " is not there";
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(data))
    if (entry.path().extension() == ".pkl") {
      const std::string content = read_text(entry.path());
      EXPECT_GT(read_pickle(content, entry.path().string()).size(), 50u) << entry.path();
    }
}

}  // namespace
}  // namespace varve
