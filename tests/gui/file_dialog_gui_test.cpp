// File dialogs beside files that never answer whoever reads them: the window goes on.
#include <sys/stat.h>

#include "tests/gui/desk.h"

namespace varve {
namespace {

class FileDialogs : public OnTheDemoDesk {
 protected:
  // Types the beginning of a path as a person does, until its completions are shown, and leaves.
  static void type_and_leave(DesktopUnderTest& desk, const std::string& path) {
    SCOPED_TRACE(path);
    desk.take_focus("Varve", {"key", "ctrl+o"});
    desk.take_focus("Open folder");
    desk.key("ctrl+a");
    desk.xdotool({"type", "--delay", "5", path});
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("above").size() == 2; })) << "no completions";
    // The first closes the completions, the second the dialog.
    ASSERT_TRUE(desk.until([&] {
      desk.try_xdotool({"search", "--onlyvisible", "--name", "Open folder", "windowfocus", "key", "--window",
                        "0", "Escape"});
      return !desk.state().contains("above");
    })) << "the dialog does not close";
    const std::string before = desk.state()["theme"];
    desk.take_focus("Varve", {"key", "ctrl+shift+t"});
    ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("theme") != before; }));
  }
};

// Reading /proc/kmsg waits for the next message of the kernel.
TEST_F(FileDialogs, ListTheKernelsFilesWithoutReadingThem) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  type_and_leave(desk, "/proc/s");
  type_and_leave(desk, "/proc/s");  // the next dialog must not begin where the one before was left
}

TEST_F(FileDialogs, ListAPipeThatNobodyWritesTo) {
  DesktopUnderTest desk;
  std::filesystem::create_directories(desk.file("weights"));
  ASSERT_EQ(mkfifo(desk.file("waits.bin").c_str(), 0600), 0);
  open_with_lens(desk);
  type_and_leave(desk, desk.file("w"));
}

}  // namespace
}  // namespace varve
