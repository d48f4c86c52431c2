// Zip archives: large ones, packed ones, and those that lie about themselves.
#include "loaders/zip_archive.h"

#include <gtest/gtest.h>

#include "loaders/npy.h"
#include "tests/support/expect_error.h"
#include "tests/support/pickle_writer.h"

namespace varve {
namespace {

using pickled::number;

struct Member {
  std::string name, data;
  uint32_t checksum = 0, flags = 0, method = 0;
  uint64_t size = 0;       // unpacked, as both headers claim
  int64_t place = -1;      // -1: where it lies
  bool wide = false;       // sizes and place in a zip64 block
  std::string own_name{};  // in its own header, where that differs
};

Member stored(const std::string& name, const std::string& data) {
  // The checksum as the honest writer computes it.
  const std::string honest = zip_bytes({{name, data}});
  const auto at = [&honest](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(honest[i]));
  };
  return {name, data, at(14) | at(15) << 8 | at(16) << 16 | at(17) << 24, 0, 0, data.size()};
}

std::string archive(const std::vector<Member>& members, bool wide_end = false, int64_t count = -1) {
  std::string out, directory;
  for (const Member& member : members) {
    const uint64_t place = member.place < 0 ? out.size() : static_cast<uint64_t>(member.place);
    const std::string common = number(20, 2) + number(member.flags, 2) + number(member.method, 2) +
                               number(0, 4) + number(member.checksum, 4);
    const std::string sizes = number(member.data.size(), 4) + number(member.size, 4);
    const std::string& own = member.own_name.empty() ? member.name : member.own_name;
    const std::string full(4, '\xff');
    directory += "PK\1\2" + number(20, 2) + common + (member.wide ? full + full : sizes) +
                 number(member.name.size(), 2) + number(member.wide ? 28 : 0, 2) + number(0, 2 + 2 + 2 + 4) +
                 (member.wide ? full : number(place, 4)) + member.name;
    if (member.wide)
      directory += number(1, 2) + number(24, 2) + number(member.size, 8) + number(member.data.size(), 8) +
                   number(place, 8);
    out += "PK\3\4" + common + (member.wide ? full + full : sizes) + number(own.size(), 2) + number(0, 2) +
           own + member.data;
  }
  const uint64_t begin = out.size(), listed = count < 0 ? members.size() : static_cast<uint64_t>(count);
  out += directory;
  if (wide_end) {
    const uint64_t record = out.size();
    out += "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) + number(listed, 8) +
           number(listed, 8) + number(directory.size(), 8) + number(begin, 8);
    out += "PK\6\7" + number(0, 4) + number(record, 8) + number(1, 4);
  }
  const std::string short_counts =
      wide_end ? std::string(12, '\xff')
               : number(listed, 2) + number(listed, 2) + number(directory.size(), 4) + number(begin, 4);
  return out + "PK\5\6" + number(0, 4) + short_counts + number(0, 2);
}

void expect_refused(const std::string& bytes, std::vector<std::string> words) {
  words.push_back("x.zip");
  expect_error(
      [&] {
        const ZipArchive zip(bytes, "x.zip");
        for (const ZipMember& member : zip.members()) zip.read(member);
      },
      words);
}

TEST(ZipArchive, MembersAreFoundByNameAndLieInPlace) {
  const std::string bytes = archive({stored("a", "first"), stored("b/c", "second")});
  const ZipArchive zip(bytes, "x.zip");
  ASSERT_EQ(zip.members().size(), 2u);
  const ZipMember* second = zip.find("b/c");
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(zip.stored(*second), "second");
  EXPECT_EQ(zip.stored(*second).data(), bytes.data() + second->begin);
  EXPECT_EQ(zip.find("absent"), nullptr);
}

TEST(ZipArchive, Zip64SizesAndEndRecordsAreRead) {
  Member member = stored("a", "some data");
  member.wide = true;
  const std::string bytes = archive({member}, true);
  const ZipArchive zip(bytes, "x.zip");
  EXPECT_EQ(zip.read(zip.members().at(0)), "some data");
}

TEST(ZipArchive, Zip64SizesThatAreMissingOrImpossibleAreRefused) {
  Member member = stored("a", "some data");
  member.wide = true;
  std::string bytes = archive({member}, true);
  const size_t block = bytes.find("PK\1\2") + 47;
  std::string absent = bytes;
  absent[block] = 2;
  expect_refused(absent, {"'a'", "zip64"});
  std::string huge = bytes;
  for (size_t i = 4; i < 20; ++i) huge[block + i] = '\xff';
  expect_refused(huge, {"'a'"});
  std::string elsewhere = bytes;
  elsewhere[bytes.find("PK\6\7") + 12] ^= 1;
  expect_refused(elsewhere, {"zip64 end record"});
}

TEST(ZipArchive, TwoMembersOfOneNameAreRefused) {
  expect_refused(archive({stored("a", "1"), stored("a", "2")}), {"two members", "'a'"});
}

TEST(ZipArchive, MembersThatOverlapAreRefused) {
  // The second member's header lies inside the first one's data.
  const std::string inner = archive({stored("b", "xx")});
  Member outer = stored("a", inner.substr(0, 33)), second = stored("b", "xx");
  second.place = 31;
  expect_refused(archive({outer, second}), {"overlap"});
}

TEST(ZipArchive, AMemberDescribedInTwoWaysIsRefused) {
  Member member = stored("data.pkl", "harmless");
  member.own_name = "datap.kl";
  expect_refused(archive({member}), {"'data.pkl'", "two ways"});
}

TEST(ZipArchive, EncryptedPatchedAndOddlyPackedMembersAreRefused) {
  Member member = stored("a", "x");
  for (const auto& [flags, word] : {std::pair(1u, "encrypted"), {0x40u, "encrypted"}, {0x20u, "patch"}}) {
    member.flags = flags;
    expect_refused(archive({member}), {"'a'", word});
  }
  member.flags = 0;
  member.method = 12;
  expect_refused(archive({member}), {"'a'", "method 12"});
}

TEST(ZipArchive, AWrongChecksumIsRefused) {
  Member member = stored("a", "some data");
  member.checksum ^= 1;
  expect_refused(archive({member}), {"'a'", "checksum"});
}

TEST(ZipArchive, SizesThatCannotBeAreRefused) {
  Member bomb = stored("a", "\x03\x00");
  bomb.method = 8;
  bomb.size = 4'000'000'000;
  expect_refused(archive({bomb}), {"'a'", "4000000000"});
  Member two = stored("a", "some data");
  two.size = 5;
  expect_refused(archive({two}), {"'a'", "two sizes"});
  Member lies = stored("a", std::string("\x03\x00", 2));
  lies.method = 8;
  lies.size = 10;
  expect_refused(archive({lies}), {"'a'", "does not unpack"});
}

TEST(ZipArchive, ManyBombsTogetherAreRefused) {
  std::vector<Member> members;
  for (int i = 0; i < 40; ++i) {
    Member member = stored("m" + std::to_string(i), std::string(10'000, 'x'));
    member.method = 8;
    member.size = 10'000'000;
    members.push_back(member);
  }
  expect_refused(archive(members), {"unpack to 400000000 bytes"});
}

TEST(ZipArchive, DirectoriesThatLieAreRefused) {
  const std::string good = archive({stored("a", "x"), stored("b", "y")});
  expect_refused(archive({stored("a", "x"), stored("b", "y")}, false, 1), {"more than it counts"});
  expect_refused(archive({stored("a", "x")}, false, 9), {"directory"});
  expect_refused(good + "trailing", {"not a zip archive"});
  expect_refused("prefix" + good, {"directory"});
  Member outside = stored("a", "x");
  outside.place = 5000;
  expect_refused(archive({outside}), {"'a'", "does not lie"});
}

}  // namespace
}  // namespace varve
