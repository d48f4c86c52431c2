// The desktop program on an X server of its own, driven by pointer and keys as a person drives it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temp_folder.h"

namespace varve {

inline bool has_program(const std::string& name) {
  return run_words({"/bin/sh", "-c", "command -v " + name}).exit_code == 0;
}

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

class DesktopUnderTest {
 public:
  // Far above what is ever needed: a busy machine must not fail a test.
  const std::chrono::seconds longest_wait{
      std::getenv("VARVE_TEST_WAIT") ? std::atoi(std::getenv("VARVE_TEST_WAIT")) : 120};

  explicit DesktopUnderTest(const std::string& screen = "1440x900") {
    const std::string number = file("display");
    // Xvfb itself finds a free display and says which.
    server_.emplace(std::vector<std::string>{
        "/bin/sh", "-c", "exec Xvfb -displayfd 3 -nolisten tcp -screen 0 " + screen + "x24 3>" + number});
    if (!until([&] { return !content_of(number).empty() && content_of(number).back() == '\n'; })) return;
    std::string display = content_of(number);
    display.pop_back();
    std::filesystem::create_directories(folder_.path() / "runtime");
    std::filesystem::permissions(folder_.path() / "runtime", std::filesystem::perms::owner_all);
    environment_ = {
        {"DISPLAY", ":" + display},        {"QT_QPA_PLATFORM", "xcb"},
        {"LIBGL_ALWAYS_SOFTWARE", "1"},    {"XDG_RUNTIME_DIR", file("runtime")},
        {"XDG_CACHE_HOME", file("cache")}, {"VARVE_DATASETS", std::string(VARVE_SOURCE) + "/datasets"},
        {"HOME", folder_.path().string()}};
  }

  void start(std::vector<std::string> words, const Environment& more = {}) {
    std::filesystem::remove(file("state.json"));  // what an earlier one showed
    Environment environment = environment_;
    environment.insert(more.begin(), more.end());
    // What is exported under a name of its own stays in the test's folder.
    words.insert(words.begin(), {"/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder_.path().string(),
                                 std::string(VARVE_PROGRAMS) + "/varve-desktop"});
    words.insert(words.end(), {"--state", file("state.json"), "--session", file("session.json")});
    program_.emplace(words, environment);
  }

  const Environment& environment() const { return environment_; }
  std::filesystem::path folder() const { return folder_.path(); }

  // Without a window manager nobody gives a new window the keyboard. The keys that follow, one "key" or
  // "type" with its words, are pressed at once.
  void take_focus(const std::string& title, const std::vector<std::string>& then = {}) {
    // Its own waiting has no end, so that it is given one: a window that never comes is said. A search looks
    // at every window, and one that closes meanwhile (a dialog) ends it with BadWindow before anything was
    // typed: it is asked again.
    std::vector<std::string> words{"/usr/bin/timeout", "20",     "xdotool", "search",      "--sync",
                                   "--onlyvisible",    "--name", title,     "windowfocus", "--sync"};
    words.insert(words.end(), then.begin(), then.end());
    // Pressed on the keyboard that all share: sent to the found window alone, a key whose release comes after
    // a dialog has opened counts as held, and its next press is lost.
    if (!then.empty()) words.insert(words.end() - static_cast<long>(then.size()) + 1, {"--window", "0"});
    Ended ended;
    ASSERT_TRUE(until([&] {
      ended = run_words(words, environment_);
      return ended.exit_code == 0;
    })) << "no window \""
        << title << "\" took the keyboard (" << ended.exit_code << "); " << ended.err << what_is_shown();
  }

  // The newest state that was written; empty before the first.
  nlohmann::json state() const {
    return nlohmann::json::parse(content_of(file("state.json")), nullptr, false);
  }

  template <class Holds>
  bool until(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + longest_wait;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (program_ && !program_->running()) return false;
      std::this_thread::sleep_for(
          std::chrono::milliseconds(20));  // between two looks; nothing is asserted on it
    }
    return true;
  }
  template <class Holds>
  testing::AssertionResult shows(Holds holds) {
    const bool held = until([&] {
      const nlohmann::json now = state();
      try {
        if (!now.is_object() || !holds(now)) return false;
        seen_ = now;
        return true;
      } catch (const nlohmann::json::exception&) {
        return false;  // what is asked for is not shown yet
      }
    });
    if (held) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "never shown; " << what_is_shown();
  }

  void xdotool(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/timeout", "60", "xdotool"});
    const Ended ended = run_words(words, environment_);
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  void key(const std::string& name) { xdotool({"key", name}); }
  void click(const nlohmann::json& box) {
    const double x = box[0].get<double>() + box[2].get<double>() / 2;
    const double y = box[1].get<double>() + box[3].get<double>() / 2;
    xdotool({"mousemove", std::to_string(static_cast<int>(x)), std::to_string(static_cast<int>(y)), "click",
             "1"});
  }
  // Answers a file dialog that asks for a name.
  void answer(const std::string& dialog, const std::string& path) {
    take_focus(dialog);
    key("ctrl+a");
    xdotool({"type", "--delay", "5", path});
    key("Return");
  }
  // The state in which that holds and nothing is under way: no layout, no picture, no answer. What it names
  // can be pressed where it says.
  template <class Holds>
  nlohmann::json settled(Holds holds) {
    EXPECT_TRUE(shows([&](const auto& s) { return s.at("settled") == true && holds(s); }));
    return seen_;
  }
  nlohmann::json settled() {
    return settled([](const nlohmann::json&) { return true; });
  }
  nlohmann::json place(int layer, int pos) {
    return settled()["view"]["places"][std::to_string(layer) + "," + std::to_string(pos)];
  }
  // "#RRGGBB" of one pixel of the screen.
  std::string pixel(int x, int y) {
    const std::string at = "1x1+" + std::to_string(x) + "+" + std::to_string(y);
    return run_words(
               {"/bin/sh", "-c",
                "import -silent -window root -crop " + at + " -depth 8 rgb:- | od -An -tx1 | tr -d ' \\n'"},
               environment_)
        .out;
  }
  // As xdotool() where what is aimed at may be gone: no verdict.
  void try_xdotool(std::vector<std::string> words) {
    words.insert(words.begin(), {"/usr/bin/timeout", "60", "xdotool"});
    run_words(words, environment_);
  }
  // The program's windows that are on the screen, dialogs and menus among them.
  std::vector<std::string> windows() {
    std::istringstream found(
        run_words({"/usr/bin/env", "xdotool", "search", "--onlyvisible", "--class", "varve"}, environment_)
            .out);
    std::vector<std::string> all;
    for (std::string id; found >> id;) all.push_back(id);
    return all;
  }
  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  void kill() {
    program_->send(9);
    program_->wait();
  }
  // By the window's own way out; its last words are what it printed.
  Ended quit() {
    take_focus("Varve");
    try_xdotool({"key", "ctrl+q"});  // no verdict: the window may be gone before the key is up again
    if (!until([this] { return !program_->running(); }) && program_->running()) {
      ADD_FAILURE() << "ctrl+q did not end it; " << what_is_shown();
      program_->send(9);
    }
    return program_->wait();
  }
  bool running() { return program_ && program_->running(); }
  // How it ended, asked to if it runs still.
  Ended end() {
    program_->send(15);
    return program_->wait();
  }

 private:
  // What a failure tells: the windows by name and the last state.
  std::string what_is_shown() {
    if (program_ && !program_->running()) {
      const Ended ended = program_->wait();
      return "it had ended (exit " + std::to_string(ended.exit_code) + "): " + ended.err;
    }
    std::string all = "windows:";
    for (const std::string& id : windows())
      all += " \"" + run_words({"/usr/bin/timeout", "20", "xdotool", "getwindowname", id}, environment_).out +
             "\"";
    return all + "; last state: " + state().dump().substr(0, 3000);
  }
  TempFolder folder_;
  Environment environment_;
  nlohmann::json seen_;                         // the state that shows() found last
  std::optional<Subprocess> server_, program_;  // the program ends before its server
};

// Tests that open the demo series with a short prompt.
class OnTheDemoDesk : public testing::Test {
 protected:
  const std::string demo_ = std::string(VARVE_SOURCE) + "/datasets/tiny-neox";
  void SetUp() override {
    for (const char* program : {"Xvfb", "xdotool", "import"})
      if (!has_program(program)) GTEST_SKIP() << program << " is not installed";
    if (!std::filesystem::exists(demo_)) GTEST_SKIP() << demo_ << " is not here";
  }
  void open_with_lens(DesktopUnderTest& desk, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{demo_, "--text", "The king said", "--theme", "light"};
    words.insert(words.end(), more.begin(), more.end());
    desk.start(words);
    ASSERT_TRUE(desk.shows([](const auto& s) {
      return s.at("run_complete") == true && s.at("cells") == 16 && s.at("view").at("places").size() > 0 &&
             s.at("prompt_shown") == false && s.at("settled") == true;
    }));
    desk.take_focus("Varve");
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("focus") && s.at("settled") == true; }));
  }
};

}  // namespace varve
