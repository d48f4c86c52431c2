// The tour: six steps that wait for the person's own act, check it, and never act themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace varve {

// What the window can say of what the person did.
struct TourSight {
  bool is_open = false;
  int64_t step = 0;
  bool reads_cell = false;  // a cell's numbers are shown under the pointer
  std::map<std::string, int64_t> selected;
  int64_t last_pos = -1, top_layer = -1;  // of the table
  std::string answer;                     // the inspector's sentence for the selected place
  bool has_pin = false, is_at_last = false;
  std::set<std::string> cells_of;  // runs of which at least one cell is finished
  int64_t kept = 0;                // pictures exported and lines copied so far
};

class Tour {
 public:
  static constexpr int steps = 6;
  // What the strip frames: names of parts of the window.
  enum class Target { demo, rail, table, corner_cell, analyse, save };

  explicit Tour(int done = 0) : done_(done) {}
  bool running() const { return running_; }
  void begin();  // at the first step that is not done; anew where all are
  void end();
  int step() const { return step_; }  // 0 to 5
  int done() const { return done_; }  // how many in a row from the first
  bool finished() const { return done_ >= steps; }

  // Moves on where the step's act is there. True where it did.
  bool see(const TourSight& sight);
  void skip();
  void back();

  std::string sentence() const;
  std::string after() const;  // what the step before showed: the answer, in words
  Target target() const;

 private:
  void go_to(int step);
  bool holds(const TourSight& sight);
  int done_ = 0, step_ = 0;
  bool running_ = false;
  std::optional<TourSight> first_;  // what there was when the step began
  std::set<int64_t> visited_;
  std::string after_;
};

std::string tour_title(int step);  // "Scrub: watch the loss fall", for the start page

// How far the person has come. 0 where the file is absent or is no number.
int read_tour_progress(const std::filesystem::path& file);
void write_tour_progress(const std::filesystem::path& file, int done);  // atomic

}  // namespace varve
