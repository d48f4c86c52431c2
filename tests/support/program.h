// The headless program as a person calls it, and the small series that its tests import.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temp_folder.h"

namespace varve {

inline std::vector<std::string> varve_words(std::vector<std::string> words) {
  words.insert(words.begin(), std::string(VARVE_PROGRAMS "/varve"));
  return words;
}

inline Ended varve_run(const std::vector<std::string>& words, const Environment& environment = {}) {
  return run_words(varve_words(words), environment);
}

// False where a sanitizer's own shadow is most of what a program holds: promises of memory say nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_is_its_own = false;
#else
inline constexpr bool memory_is_its_own = true;
#endif

inline std::string series_folder() { return VARVE_SOURCE "/datasets/tiny-neox"; }

// A store of some steps of that series in a folder of its own.
class TinyStore {
 public:
  explicit TinyStore(const std::string& steps) : imported(import(steps)) {}
  Ended import(const std::string& steps) const {
    return varve_run({"import", series_folder(), "-o", path(), "--steps", steps});
  }
  std::string path() const { return (folder.path() / "tiny.varve").string(); }
  std::string file(const std::string& name) const { return (folder.path() / name).string(); }
  std::vector<std::string> lens_words() const {
    return {"run", "logit-lens", path(), "--text", "The king said"};
  }

  TempFolder folder;
  Ended imported;
};

}  // namespace varve
