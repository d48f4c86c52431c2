// Series that were opened before, with a small picture of each: what the start page lists, and one JSON file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/session/opened.h"

namespace varve {

// One branch as the core shows it: its steps, and how far the weights moved to each.
struct CoreLane {
  std::string branch;
  std::vector<int64_t> steps;
  std::vector<double> change;  // below 0 or NaN: unknown
  std::vector<int64_t> bad;    // indices of steps that should not be trusted
};

struct RecentSeries {
  std::string path, name;
  bool pinned = false;
  int64_t opened = 0;                             // seconds since 1970
  int64_t layers = 0, experts = 0, results = -1;  // -1: not known
  std::vector<CoreLane> core = {};
  std::string caution = {};  // "step 58k is a copy of step 143k"; empty where nothing is wrong
  int64_t steps() const;
};

// The face of a series as it is now: copies and entries that are not finite are its cautions.
RecentSeries face_of(const Opened& opened);
// "154 steps · 12 layers", "3 branches · 41 steps".
std::string shape_words(const RecentSeries& series);
std::string opened_words(int64_t opened, int64_t now);  // "today 14:02", "yesterday", "12 Nov"

// To the front of its kind: pinned ones stay before the others.
void remember_opened(std::vector<RecentSeries>& recent, RecentSeries series);
void set_pinned(std::vector<RecentSeries>& recent, const std::string& path, bool pinned);

// Empty where the file is absent. A damaged file is an Error that names it.
std::vector<RecentSeries> read_recent_series(const std::filesystem::path& file);
void write_recent_series(const std::filesystem::path& file,
                         const std::vector<RecentSeries>& recent);  // atomic

}  // namespace varve
