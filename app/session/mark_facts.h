// What the inspector says of a mark of any result: a head, an expert, a layer, a sample.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/session/cell_facts.h"
#include "app/session/view_content.h"

namespace varve {

// One number of the mark over training; NaN where it is missing. low and high are empty without an interval.
struct Course {
  std::string title;
  std::vector<int64_t> steps;
  std::vector<double> value, low, high;
};

struct MarkFacts {
  std::string heading, under;  // "Head L3H1"; "head-detectors, step 7k"
  std::vector<Fact> numbers;   // of every array that lies over axes of the mark alone
  std::optional<Course> course;
  std::vector<Fact> origin;
};

// `series` may hold the same arrays along `step`; it may be null or the content's own data. Of other prompts
// or settings it is not used: at the content's step it must have the very number shown. Nothing where the
// selection names no place of this result beside its step.
std::optional<MarkFacts> mark_facts(const ViewContent& content, const Dataset* series,
                                    std::optional<int64_t> pin);

// Of a mark whose numbers are no arrays of its own: what its tip says, a row a line, names and values parted
// by tabs.
std::optional<MarkFacts> facts_of_tip(const ViewContent& content, const std::string& tip);

// "Head L3H1", "Layer 5 · expert 0", "Layer 8 · position 3".
std::string mark_name(const Dataset& data, const Selection& selection);

}  // namespace varve
