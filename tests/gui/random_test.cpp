// Keys, clicks, drags, wheels, sizes and good and bad files without a plan: the window goes on, answers in
// the end, and leaves without a report of the sanitizers.
#include <random>

#include "tests/gui/desk.h"

namespace varve {
namespace {

constexpr int night_seconds = 600;

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

  std::mt19937 random_;
  int width_ = 1280, height_ = 800;
};

TEST_F(Anyhow, NothingThatIsPressedOrOpenedEndsTheWindow) {
  if (!std::getenv("VARVE_NIGHTLY") && !std::getenv("VARVE_RANDOM_SECONDS"))
    GTEST_SKIP() << "random input runs in ./dev test nightly, or for VARVE_RANDOM_SECONDS";
  const int seed = number_of("VARVE_RANDOM_SEED", 1),
            seconds = number_of("VARVE_RANDOM_SECONDS", night_seconds);
  std::printf("random input: seed %d, %d s\n", seed, seconds);
  random_.seed(static_cast<unsigned>(seed));
  DesktopUnderTest desk("1280x800");
  const std::string damaged = desk.file("damaged.varve"), text = desk.file("words.txt");
  std::filesystem::create_directories(damaged);
  std::ofstream(damaged + "/series.h5") << "not a store";
  std::ofstream(text) << "not a model";
  const std::vector<std::string> files{demo_,        damaged,    text, desk.file("not there"),
                                       "/proc/self", "/dev/null"};
  open_with_lens(desk);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  int rounds = 0;
  while (std::chrono::steady_clock::now() < end) {
    desk.try_xdotool(acts());
    ASSERT_TRUE(desk.running()) << "round " << rounds << ", seed " << seed << "\n" << desk.errors();
    if (++rounds % 12 == 0)
      desk.try_xdotool({"search", "--onlyvisible", "--name", "Varve", "windowsize",
                        std::to_string(900 + below(400)), std::to_string(600 + below(220))});
    if (rounds % 9 == 0) {
      desk.try_xdotool({"key", "Escape", "key", "Escape", "key", "Escape", "key", "ctrl+o"});
      desk.try_xdotool({"key", "ctrl+a", "type", "--delay", "2",
                        files[static_cast<size_t>(below(static_cast<int>(files.size())))]});
      desk.try_xdotool({"key", "Return"});
    }
    // A dialog that stays open would take all that follows.
    if (rounds % 3 == 0) desk.try_xdotool({"key", "Escape", "key", "Escape", "key", "Escape"});
  }
  std::printf("random input: %d rounds\n", rounds);
  // It still answers: what is pressed is seen.
  const std::string before = desk.state()["theme"];
  ASSERT_TRUE(desk.until([&] {
    desk.try_xdotool({"key", "Escape", "key", "Escape", "key", "Escape"});
    desk.try_xdotool(
        {"search", "--onlyvisible", "--name", "Varve", "windowfocus", "--sync", "key", "ctrl+shift+t"});
    return desk.state()["theme"] != before;
  })) << "the window no longer answers";
  const std::string said = desk.errors();
  EXPECT_EQ(said.find("ERROR: AddressSanitizer"), std::string::npos) << said;
  EXPECT_EQ(said.find("runtime error"), std::string::npos) << said;
}

}  // namespace
}  // namespace varve
