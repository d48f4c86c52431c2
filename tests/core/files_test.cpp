// Files: read under a limit, written whole or not at all, mapped read-only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "analysis/core/text.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t limit = 1 << 20;

template <class Work>
std::string complaint(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

size_t entries_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// No file of this process may grow beyond `bytes` while this lives: a disk that fills up.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit small = before_;
    small.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &small);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST(WriteFile, IsReadBackAndLeavesNothingElse) {
  const TempFolder folder;
  const fs::path path = folder.path() / "a.json";
  const std::string content = std::string("x\0y\n", 4) + std::string(200000, 'z');
  write_file_atomically(path, content);
  EXPECT_EQ(read_file(path, limit), content);
  write_file_atomically(path, "");
  EXPECT_EQ(read_file(path, limit), "");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(WriteFile, OnAFullDiskKeepsTheOldFileAndLeavesNoTemporary) {
  const TempFolder folder;
  const fs::path path = folder.path() / "a.json";
  write_file_atomically(path, "old");
  std::string said;
  {
    const FullDisk full(4096);
    said = complaint([&] { write_file_atomically(path, std::string(100000, 'n')); });
  }
  EXPECT_THAT(said, HasSubstr(path.string()));
  EXPECT_THAT(said, HasSubstr("File too large"));
  EXPECT_EQ(read_file(path, limit), "old");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(WriteFile, SaysWhatToTry) {
  const TempFolder folder;
  EXPECT_THAT(complaint([&] { write_file_atomically(folder.path() / "none" / "a", "x"); }),
              HasSubstr("Does the folder exist?"));
  fs::create_directory(folder.path() / "taken");
  EXPECT_THAT(complaint([&] { write_file_atomically(folder.path() / "taken", "x"); }),
              HasSubstr("choose another name"));
  EXPECT_EQ(entries_in(folder.path()), 1u);
  EXPECT_THROW(write_file_atomically("", "x"), Error);
}

TEST(ReadFile, StopsAtItsLimit) {
  const TempFolder folder;
  const fs::path path = folder.path() / "a";
  write_file_atomically(path, "12345");
  EXPECT_EQ(read_file(path, 5), "12345");
  EXPECT_THAT(complaint([&] { read_file(path, 4); }), HasSubstr(path.string()));
}

TEST(ReadFile, RefusesWhatIsNoFile) {
  const TempFolder folder;
  EXPECT_THROW(read_file(folder.path(), limit), Error);
  EXPECT_THROW(read_file(folder.path() / "none", limit), Error);
  const fs::path pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(read_file(pipe, limit), Error);
  EXPECT_THROW(MappedFile{pipe}, Error);
}

TEST(MappedFile, ShowsTheFilesBytesAndMoves) {
  const TempFolder folder;
  const fs::path path = folder.path() / "weights";
  const std::string content(20000, 'w');
  write_file_atomically(path, content);
  MappedFile first(path);
  MappedFile second = std::move(first);
  MappedFile third;
  third = std::move(second);
  const auto bytes = third.bytes();
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), content);
  EXPECT_EQ(third.path(), path);
}

TEST(MappedFile, AdviceChangesNoByteHoweverWild) {
  const TempFolder folder;
  const fs::path path = folder.path() / "weights";
  write_file_atomically(path, std::string(20000, 'w'));
  const MappedFile file(path);
  for (const size_t offset : {size_t{0}, size_t{1}, size_t{5000}, size_t{19999}, size_t{20000}, SIZE_MAX})
    for (const size_t count : {size_t{0}, size_t{1}, size_t{9000}, SIZE_MAX}) {
      file.will_need(offset, count);
      file.done_with(offset, count);
    }
  for (const std::byte byte : file.bytes()) ASSERT_EQ(byte, std::byte{'w'});
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const TempFolder folder;
  write_file_atomically(folder.path() / "empty", "");
  const MappedFile file(folder.path() / "empty");
  EXPECT_TRUE(file.bytes().empty());
  file.will_need(0, 10);
}

TEST(MappedFile, RefusesWhatIsNoFileByName) {
  const TempFolder folder;
  EXPECT_THAT(complaint([&] { MappedFile file(folder.path() / "none"); }), HasSubstr("none"));
  EXPECT_THROW(MappedFile{folder.path()}, Error);
}

}  // namespace
}  // namespace varve
