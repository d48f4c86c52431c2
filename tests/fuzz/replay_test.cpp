// The fuzz targets without a fuzzer: their small corpora as they are, then damaged at random from a seed.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

// A hostile file of a few kilobytes has no business asking for more.
constexpr int64_t most_memory_kilobytes = 1'500'000;
constexpr int64_t rounds = 20'000, nightly_seconds = 600, longest_input_seconds = 20;

class FuzzTargets : public ::testing::TestWithParam<fuzz::Target> {};

std::vector<std::string> corpus_of(const std::string& target) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(VARVE_SOURCE "/tests/fuzz/corpus") / target))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  for (const fs::path& file : files) inputs.push_back(read_text(file));
  return inputs;
}

void run(const fuzz::Target& target, const std::string& input) {
  // A copy of exactly that size: reading one byte too far is then seen by a sanitizer.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  const std::clock_t begin = std::clock();
  target.run(bytes.data(), bytes.size());
  ASSERT_LT((std::clock() - begin) / CLOCKS_PER_SEC, longest_input_seconds)
      << "hangs on " << input.size() << " bytes";
}

int64_t peak_memory_kilobytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

class Damage {
 public:
  explicit Damage(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string bytes = any();
    for (uint64_t changes = 1 + below(6); changes > 0; --changes) change(bytes);
    return bytes;
  }

 private:
  uint64_t below(uint64_t limit) { return random_() % limit; }
  const std::string& any() { return corpus_[below(corpus_.size())]; }

  void change(std::string& bytes) {
    static constexpr uint64_t edges[] = {0,      1,          0x7F,       0x80,        0xFF,      0x7FFF,
                                         0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x100000000, INT64_MAX, UINT64_MAX};
    if (bytes.empty()) bytes = "x";
    const size_t at = below(bytes.size()), rest = bytes.size() - at;
    switch (below(8)) {
      case 0:
        bytes[at] ^= static_cast<char>(1u << below(8));
        break;
      case 1:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 2:
      case 3: {
        const uint64_t value = edges[below(std::size(edges))] + (below(4) == 0 ? below(16) : 0);
        const size_t width = std::min(rest, size_t{1} << below(4));
        for (size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
        break;
      }
      case 4:
        bytes.erase(at, 1 + below(std::min<size_t>(rest, 32)));
        break;
      case 5:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
        break;
      case 6: {
        const std::string& other = any();
        if (!other.empty()) bytes.insert(at, other.substr(below(other.size()), 1 + below(64)));
        break;
      }
      default:
        if (below(4) == 0) bytes.resize(at);
    }
  }

  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_{1};
};

TEST_P(FuzzTargets, ReadTheirCorpusAndRefuseItsDamagedCopiesInBoundedTimeAndMemory) {
  const std::vector<std::string> corpus = corpus_of(GetParam().name);
  ASSERT_FALSE(corpus.empty());
  for (const std::string& input : corpus) ASSERT_NO_FATAL_FAILURE(run(GetParam(), input));
  Damage damage(corpus);
  const bool nightly = std::getenv("VARVE_NIGHTLY") != nullptr;
  const std::clock_t begin = std::clock();
  for (int64_t round = 0;
       nightly ? (std::clock() - begin) / CLOCKS_PER_SEC < nightly_seconds : round < rounds; ++round)
    ASSERT_NO_FATAL_FAILURE(run(GetParam(), damage.next())) << "in round " << round;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(peak_memory_kilobytes(), most_memory_kilobytes);
#endif
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTargets, ::testing::ValuesIn(fuzz::targets()),
                         [](const ::testing::TestParamInfo<fuzz::Target>& target) {
                           return target.param.name;
                         });

}  // namespace
}  // namespace varve
