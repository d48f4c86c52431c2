// Keys, clicks, drags, wheels, sizes and good and bad files without a plan: the window goes on, answers in
// the end, and leaves without a report of the sanitizers.
#include <random>

#include "tests/gui/desk.h"

namespace varve {
namespace {

constexpr int day_seconds = 120, night_seconds = 600;

int number_of(const char* variable, int otherwise) {
  const char* text = std::getenv(variable);
  return text && *text ? std::atoi(text) : otherwise;
}

class Anyhow : public OnTheDemoDesk {
 protected:
  int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  std::vector<std::string> place() {
    return {"mousemove", std::to_string(below(width_)), std::to_string(below(height_))};
  }
  void add(std::vector<std::string>& words, const std::vector<std::string>& more) {
    words.insert(words.end(), more.begin(), more.end());
  }

  // A handful of acts in one go.
  std::vector<std::string> acts() {
    static const std::vector<std::string> keys{"Left",
                                               "Right",
                                               "shift+Left",
                                               "shift+Right",
                                               "Up",
                                               "Down",
                                               "Home",
                                               "End",
                                               "space",
                                               "Return",
                                               "Escape",
                                               "Tab",
                                               "a",
                                               "x",
                                               "d",
                                               "l",
                                               "r",
                                               "u",
                                               "b",
                                               "i",
                                               "e",
                                               "1",
                                               "2",
                                               "3",
                                               "4",
                                               "5",
                                               "6",
                                               "ctrl+6",
                                               "F6",
                                               "F12",
                                               "ctrl+k",
                                               "ctrl+p",
                                               "ctrl+z",
                                               "ctrl+z",
                                               "ctrl+shift+z",
                                               "ctrl+c",
                                               "ctrl+Return",
                                               "ctrl+period",
                                               "ctrl+a",
                                               "ctrl+bracketleft",
                                               "ctrl+bracketright",
                                               "ctrl+shift+w",
                                               "ctrl+shift+t",
                                               "question",
                                               "ctrl+comma",
                                               "ctrl+Tab",
                                               "alt+Right",
                                               "F10",
                                               "BackSpace",
                                               "Delete",
                                               "ctrl+w",
                                               "ctrl+s",
                                               "f",
                                               "m",
                                               "g",
                                               "n"};
    std::vector<std::string> words;
    for (int i = 0; i < 8; ++i) switch (below(8)) {
        case 0:
        case 1:
          add(words, place());
          add(words, {"click", "1"});
          break;
        case 2:
          add(words, place());
          add(words, {"mousedown", "1"});
          add(words, place());
          add(words, place());
          add(words, {"mouseup", "1"});
          break;
        case 3:
          add(words, place());
          add(words, {"click", "--repeat", std::to_string(1 + below(4)), below(2) ? "4" : "5"});
          break;
        case 4:
          add(words, place());
          add(words, {"click", "--repeat", "2", "--delay", "20", "1"});
          break;
        case 5:
          add(words, {"type", "--delay", "2", below(2) ? "The 2 w" : "step 9"});
          break;
        default:
          add(words, {"key", keys[static_cast<size_t>(below(static_cast<int>(keys.size())))]});
      }
    return words;
  }

  // As a window manager gives the keyboard. It is taken away first: a window that had it while a dialog stood
  // before it never learns otherwise that it may answer again.
  static std::vector<std::string> focus(const std::string& window, const std::vector<std::string>& then) {
    constexpr const char* nobody = "1";  // where the pointer is
    std::vector<std::string> words{"windowfocus", nobody, "windowfocus", window};
    words.insert(words.end(), then.begin(), then.end());
    return words;
  }
  // The front one first, the window at last.
  static void escape_all(DesktopUnderTest& desk) {
    const std::vector<std::string> windows = desk.windows();
    for (auto window = windows.rbegin(); window != windows.rend(); ++window)
      desk.try_xdotool(focus(*window, {"key", "Escape", "key", "Escape"}));
  }
  // Nothing stands before the window any more, and it has the keyboard.
  void close_all_dialogs(DesktopUnderTest& desk) {
    ASSERT_TRUE(desk.shows([&](const auto& s) {
      const bool free = !s.contains("above") && s.contains("focus") && desk.windows().size() == 1;
      if (!free) escape_all(desk);
      return free;
    })) << "windows: "
        << testing::PrintToString(desk.windows());
  }
  // One press, one change. What was pressed before and is still on its way may undo one: then the next
  // counts.
  static bool answers(DesktopUnderTest& desk) {
    for (int tries = 0; tries < 6; ++tries) {
      const std::string before = desk.state()["theme"];
      desk.try_xdotool({"key", "ctrl+shift+t"});
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      bool changed = false;
      desk.until([&] {
        changed = desk.state()["theme"] != before;
        return changed || std::chrono::steady_clock::now() > end;
      });
      if (changed) return true;
    }
    return false;
  }

  void ask_for(DesktopUnderTest& desk, const std::string& path) {
    escape_all(desk);
    desk.try_xdotool({"key", "ctrl+o"});
    for (int tries = 0; tries < 20; ++tries)
      if (const auto windows = desk.windows(); windows.size() > 1) {
        desk.try_xdotool(focus(windows.back(), {"key", "ctrl+a", "type", "--delay", "2", path}));
        desk.try_xdotool({"key", "Return"});
        ++asked_;
        return;
      }
  }

  static void expect_no_report(const std::string& said) {
    EXPECT_EQ(said.find("ERROR: AddressSanitizer"), std::string::npos) << said;
    EXPECT_EQ(said.find("runtime error"), std::string::npos) << said;
  }

  std::mt19937 random_;
  int width_ = 1280, height_ = 800, asked_ = 0;
};

TEST_F(Anyhow, NothingThatIsPressedOrOpenedEndsTheWindow) {
  const int seed = number_of("VARVE_RANDOM_SEED", 1),
            seconds =
                number_of("VARVE_RANDOM_SECONDS", std::getenv("VARVE_NIGHTLY") ? night_seconds : day_seconds);
  std::printf("random input: seed %d, %d s\n", seed, seconds);
  random_.seed(static_cast<unsigned>(seed));
  DesktopUnderTest desk("1280x800");
  const std::string good = desk.file("series"), damaged = desk.file("damaged.varve"),
                    text = desk.file("words.txt");
  std::filesystem::copy(demo_, good, std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(damaged);
  std::ofstream(damaged + "/series.h5") << "not a store";
  std::ofstream(text) << "not a model";
  const std::vector<std::string> files{good,         damaged,    text, desk.file("not there"),
                                       "/proc/self", "/dev/null"};
  open_with_lens(desk);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  int rounds = 0, quits = 0;
  while (std::chrono::steady_clock::now() < end) {
    desk.try_xdotool(acts());
    if (!desk.running()) {
      const Ended ended = desk.end();
      ASSERT_TRUE(ended.exit_code == 0 && ended.signal == 0)
          << "round " << rounds << ", seed " << seed << ", signal " << ended.signal << "\n"
          << ended.err;
      expect_no_report(ended.err);
      // Its menu has a Quit, too; whoever finds that once in many thousand acts begins anew.
      ASSERT_EQ(++quits, 1) << "round " << rounds << ", seed " << seed << ": the window went away again";
      std::filesystem::remove(desk.file("session.json"));
      open_with_lens(desk);
    }
    if (++rounds % 12 == 0)
      desk.try_xdotool({"search", "--onlyvisible", "--name", "Varve", "windowsize",
                        std::to_string(900 + below(400)), std::to_string(600 + below(220))});
    if (rounds % 9 == 0) ask_for(desk, files[static_cast<size_t>(below(static_cast<int>(files.size())))]);
    // A dialog that stays open would keep the window from all that follows.
    if (rounds % 3 == 0) escape_all(desk);
  }
  std::printf("random input: seed %d, %d rounds, %d times a path was asked for, %d times quit\n", seed,
              rounds, asked_, quits);
  EXPECT_GT(asked_, 0) << "no file was ever asked for";
  // It still answers: one press is seen, once every dialog that was left open is closed as a person would.
  close_all_dialogs(desk);
  if (HasFatalFailure()) return;
  EXPECT_TRUE(answers(desk)) << "the window no longer answers, seed " << seed;
  expect_no_report(desk.end().err);
}

}  // namespace
}  // namespace varve
