// NumPy files: what is written is read again, and hostile bytes are refused.
#include "loaders/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

std::string sample_npy() {
  return npy_bytes(Array({"a", "b"}, {2, 3}, std::vector<int64_t>{1, 2, 3, 4, 5, -6}));
}

TEST(Npy, ReadsWhatItWrote) {
  const IntegerArray read = read_npy_integers(sample_npy(), "x.npy");
  EXPECT_EQ(read.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read.values, (std::vector<int64_t>{1, 2, 3, 4, 5, -6}));
}

TEST(Npy, DataBeginsAtAMultipleOf64) { EXPECT_EQ((sample_npy().size() - 6 * 8) % 64, 0U); }

TEST(Npy, ColumnOrderBecomesRowOrder) {
  std::string bytes = sample_npy();
  bytes.replace(bytes.find("False"), 5, "True ");
  EXPECT_EQ(read_npy_integers(bytes, "x.npy").values, (std::vector<int64_t>{1, 3, 5, 2, 4, -6}));
}

TEST(Npy, EveryCutIsAnError) {
  const std::string bytes = sample_npy();
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(read_npy_integers(std::string_view(bytes).substr(0, length), "x.npy"), Error) << length;
}

TEST(Npy, AShapeLargerThanTheFileIsAnError) {
  std::string bytes = sample_npy();
  bytes.replace(bytes.find("(2, 3)"), 6, "(9,99)");
  EXPECT_THROW(read_npy_integers(bytes, "x.npy"), Error);
}

TEST(Npy, FloatsAreNoTokens) {
  EXPECT_THROW(read_npy_integers(npy_bytes(Array({"a"}, {1}, std::vector<float>{1})), "x.npy"), Error);
}

TEST(Zip, ReadsWhatItWrote) {
  const std::vector<std::pair<std::string, std::string>> members = {{"a.npy", sample_npy()}, {"b", ""}};
  EXPECT_EQ(read_zip(zip_bytes(members), "x.npz"), members);
}

TEST(Zip, EveryCutAndEveryChangedByteOfTheDataIsAnError) {
  const std::string bytes = zip_bytes({{"a", "some content of a member"}});
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THROW(read_zip(std::string_view(bytes).substr(0, length), "x.npz"), Error) << length;
  const size_t data = bytes.find("some content");
  for (size_t at = data; at < data + 24; ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_THROW(read_zip(changed, "x.npz"), Error) << at;
  }
}

TEST(Zip, AnyChangedByteIsReadOrRefusedButNeverTrusted) {
  const std::string bytes = zip_bytes({{"a", "content"}, {"b", "more content"}});
  for (size_t at = 0; at < bytes.size(); ++at)
    for (const int flip : {1, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      try {
        read_zip(changed, "x.npz");
      } catch (const Error&) {
        continue;
      }
    }
}

}  // namespace
}  // namespace varve
