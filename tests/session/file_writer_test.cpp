// The newest text is in the file in the end, whole at every moment.
#include "app/session/file_writer.h"

#include <gtest/gtest.h>

#include "analysis/core/text.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

TEST(FileWriter, TheNewestTextIsThereInTheEnd) {
  const TempFolder folder;
  const auto file = folder.path() / "deep" / "session.json";
  {
    FileWriter writer(file);
    for (int i = 0; i < 500; ++i) writer.write("text " + std::to_string(i));
    writer.wait();
    EXPECT_EQ(read_file(file, 100), "text 499");
    EXPECT_EQ(writer.problem(), "");
    writer.write("last");
  }
  EXPECT_EQ(read_file(file, 100), "last") << "closing waits for what was asked for";
}

TEST(FileWriter, AFolderThatCannotBeWrittenIsAProblemAndNoCrash) {
  const TempFolder folder;
  const auto file = folder.path() / "file" / "below";
  write_file_atomically(folder.path() / "file", "in the way");
  FileWriter writer(file);
  writer.write("text");
  writer.wait();
  EXPECT_NE(writer.problem(), "");
}

}  // namespace
}  // namespace varve
