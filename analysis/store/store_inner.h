// What a RunStore keeps in memory, and how names become files.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <string>

#include "analysis/store/run_store.h"
#include "analysis/store/weights_shelf.h"

namespace varve {

struct RunStore::Inner {
  explicit Inner(std::filesystem::path store) : folder(std::move(store)), shelf(folder) {}
  std::filesystem::path folder;
  mutable WeightsShelf shelf;
  std::mutex mutex;
  // Older states stay: someone may still hold a reference to them.
  std::deque<SeriesRecord> states;
  std::atomic<const SeriesRecord*> series{nullptr};
  struct stat seen = {};  // series.h5 as last read

  std::filesystem::path series_file() const { return folder / "series.h5"; }
};

// Throws Error (usage) unless the name can be a file name as it is.
void require_file_name(const std::string& name, const std::string& what);
// Any text as a file name, reversibly: other characters than letters, digits, '.', '_', '-' become %XX.
std::string as_file_name(const std::string& text);
std::string from_file_name(const std::string& name);
// Complete .h5 files of a folder, sorted by name; empty where there is no folder.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder);
std::vector<std::filesystem::path> folders_in(const std::filesystem::path& folder);

}  // namespace varve
