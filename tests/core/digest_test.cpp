// Digests: a published value, and streaming that equals one shot.
#include "analysis/core/digest.h"

#include <gtest/gtest.h>

#include <vector>

namespace varve {
namespace {

TEST(Digest, OfNothingIsThePublishedValue) {
  EXPECT_EQ(digest_of(nullptr, 0), "99aa06d3014798d86001c324468d497f");  // XXH3 128, seed 0, empty input
  EXPECT_EQ(Digest().hex(), digest_of(nullptr, 0));
}

TEST(Digest, StreamedInPiecesEqualsOneShot) {
  std::vector<unsigned char> bytes(100003);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 31 + i / 251);
  Digest pieces;
  for (size_t begin = 0, size = 1; begin < bytes.size(); begin += size, size = size * 3 + 1) {
    if (size > bytes.size() - begin) size = bytes.size() - begin;
    pieces.add(bytes.data() + begin, size);
  }
  EXPECT_EQ(pieces.hex(), digest_of(bytes.data(), bytes.size()));
}

TEST(Digest, KeepsTextsApart) {
  Digest left, right;
  left.add("ab");
  left.add("c");
  right.add("a");
  right.add("bc");
  EXPECT_NE(left.hex(), right.hex());
}

TEST(Digest, MayBeReadAndGoOn) {
  Digest digest, same;
  digest.add("a");
  same.add("a");
  const std::string before = digest.hex();
  EXPECT_EQ(digest.hex(), before);
  digest.add("b");
  same.add("b");
  EXPECT_EQ(digest.hex(), same.hex());
  EXPECT_NE(digest.hex(), before);
}

}  // namespace
}  // namespace varve
