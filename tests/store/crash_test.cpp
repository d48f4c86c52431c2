// Kills, full disks and many writers at once: the store stays whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "analysis/core/error.h"
#include "analysis/store/run_store.h"
#include "tests/store/sample_data.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

constexpr int kills = 100;
constexpr int writers = 8;

pid_t in_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  try {
    work();
  } catch (const std::exception& error) {
    fprintf(stderr, "child: %s\n", error.what());
    _exit(1);
  }
  _exit(0);
}

int64_t temporaries_in(const std::filesystem::path& folder) {
  int64_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().filename().string().starts_with(".tmp-")) ++count;
  return count;
}

// Publishes weights, series and results over and over until it is killed.
void publish_without_end(const std::filesystem::path& path, int64_t first) {
  const auto store = RunStore::open(path);
  for (int64_t step = first;; ++step) {
    import_samples(*store, {0, step});
    Dataset result = sample_dataset();
    const std::string key = "k" + std::to_string(step);
    result.provenance["key"] = key;
    store->publish_result("sample", key, result);
  }
}

TEST(Crash, AKillAtAnyInstantLeavesAWholeStore) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0});
  for (int round = 0; round < kills; ++round) {
    const pid_t child = in_child([&] { publish_without_end(path, round * 1000 + 1); });
    // Instants spread over several publishing rounds; the law must hold for any of them.
    usleep(static_cast<useconds_t>(1000 + (round * 7919) % 30000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
    if (round % 10 != 9 && !std::getenv("VARVE_NIGHTLY")) {
      const auto store = RunStore::open(path);
      ASSERT_FALSE(store->series().checkpoints.empty());
      continue;
    }
    std::string words;
    ASSERT_EQ(count_broken(*RunStore::open(path), &words), 0) << words;
  }
  const auto store = RunStore::open(path);
  store->sweep();
  EXPECT_EQ(temporaries_in(path), 0);
  EXPECT_EQ(count_broken(*store), 0);
}

TEST(Crash, EightProcessesPublishIntoOneStore) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer)
    children.push_back(in_child([&path, writer] {
      const auto store = RunStore::create(path);  // all of them at once
      for (int round = 0; round < 20; ++round) {
        Dataset result = sample_dataset();
        const std::string own = fmt::format("own{}x{}", writer, round);
        result.provenance["key"] = own;
        store->publish_result("sample", own, result);
        const std::string common = fmt::format("common{}", round);
        result.provenance["key"] = common;
        store->publish_result("sample", common, result);
      }
    }));
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  const auto store = RunStore::open(path);
  EXPECT_EQ(store->results().size(), writers * 20u + 20u);
  std::string words;
  EXPECT_EQ(count_broken(*store, &words), 0) << words;
  EXPECT_EQ(temporaries_in(path), 0);
}

// Runs `work` with files limited to `bytes`, in a child; its exit code says whether it met a clear Error.
int with_small_files(rlim_t bytes, const std::function<void()>& work) {
  const pid_t child = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      work();
    } catch (const Error& error) {
      _exit(std::string(error.what()).find("disk is full") != std::string::npos ? 7 : 8);
    }
  });
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Crash, AFileLimitIsAClearErrorAndLeavesACleanStore) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  const auto store = RunStore::create(path);
  import_samples(*store, {0});
  SampleCheckpoint large;
  large.add("large", TensorType::f32, {512, 1024}, 9);
  EXPECT_EQ(with_small_files(1 << 20,
                             [&] {
                               Task task;
                               RunStore::open(path)->add_weights(large.tensors(), task);
                             }),
            7);
  Dataset result;
  result.set("x", Array({"row"}, {400000}, std::vector<double>(400000, 1)));
  EXPECT_EQ(with_small_files(1 << 20, [&] { RunStore::open(path)->publish_result("sample", "k", result); }),
            7);
  EXPECT_EQ(temporaries_in(path), 0);
  EXPECT_EQ(count_broken(*store), 0);
  EXPECT_FALSE(store->has_result("sample", "k"));
}

TEST(Crash, AFullDiskIsAClearErrorAndLeavesACleanStore) {
  const TempFolder folder;
  const auto disk = folder.path() / "disk";
  std::filesystem::create_directory(disk);
  if (mount("varve-test", disk.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "mounting a small disk is not permitted here";
  {
    const auto store = RunStore::create(disk / "a.varve");
    import_samples(*store, {0});
    SampleCheckpoint large;
    large.add("large", TensorType::f32, {1024, 1024}, 9);
    Task task;
    try {
      store->add_weights(large.tensors(), task);
      ADD_FAILURE() << "four megabytes fitted into two";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("disk is full"));
    }
    EXPECT_EQ(temporaries_in(disk), 0);
    EXPECT_EQ(count_broken(*store), 0);
    import_samples(*store, {0, 10});  // what fits is still written
    EXPECT_EQ(count_broken(*store), 0);
  }
  EXPECT_EQ(umount2(disk.c_str(), MNT_DETACH), 0);
}

TEST(Crash, SweepSparesTemporariesOfTheLiving) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  TraceFile unfinished(folder.path() / "a.varve" / "trace.h5");
  store->sweep();
  EXPECT_EQ(temporaries_in(folder.path()), 1);
}

TEST(Crash, AStoppedImportLeavesNoPartialWeights) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  const auto progress = std::make_shared<Progress>();
  progress->request_stop();
  Task task(progress);
  EXPECT_THROW(store->add_weights(sample_checkpoint(0).tensors(), task), Stopped);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "a.varve" / "weights"));
}

}  // namespace
}  // namespace varve
