// Tables that others made: scores by checkpoint, losses and groups of samples, embeddings, expert counts.
#pragma once

#include <string>

#include "analysis/core/dataset.h"

namespace varve {

// FILE or FILE:NAME, where NAME chooses one array or column.
//   .csv          columns of numbers or text
//   .json         a list of objects, {"step": {...}}, one object of evaluation results, or a trainer_state
//   .jsonl        one object a line
//   .npy, .npz    arrays; an integer array X beside texts X_names becomes those texts
//   .h5           a result of ours
//   a folder      of .json files with steps in their names, or of .pkl files with expert counts
// Rows lie along `step` where a column step (or an array steps, or a file name) says so, else along `row`.
// Throws Error; sizes in the file are not trusted.
Dataset read_table(const std::string& argument);

// A folder of NAME.pkl, each a list with one mapping a layer: expert -> count gives `counts` [layer, group,
// expert], (expert, expert) -> count gives `joint` [layer, group, expert, expert_after]. The group is NAME.
Dataset read_expert_counts(const std::string& folder);

}  // namespace varve
