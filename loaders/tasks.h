// Tasks: pairs of a clean and a corrupted prompt with answers, from a file or made by a template.
//
// FILE.toml    name = "ioi"           optional
//              data = "ioi.jsonl"     pairs, relative to the file; or make = "ioi:pairs=32,seed=0"
//              first = 0              optional: a token id put before every prompt
//              position = -1          optional: where the answer is read
//              unfit = "leave-out"    optional: leave out pairs of unequal length, or whose answers are
//                                     several tokens, and say how many are left; they are refused otherwise
// FILE.jsonl   one object a line: {"clean": TEXT, "corrupted": TEXT, "correct": ANSWER, "incorrect": ANSWER,
//              "position": -1}; TEXT is text or a list of token ids, ANSWER a token id, the text of one
//              token, or a list of either; corrupted, incorrect and position may be left out
// FILE.csv     a header with clean and corrupted, and correct_idx and incorrect_idx (token ids) or label (two
//              digits: greater numbers are correct, others are not), as the EAP-IG authors' prompts are
// NAME:key=N   made: induction, previous-token, greater-than, ioi
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/model/probes.h"
#include "analysis/model/tokenizer.h"

namespace varve {

// `tokenizer`: tokenizer.json, or empty where the series has none: then prompts must be token ids. Throws
// Error naming the pair where clean and corrupted differ in length or an answer is not one token.
Probes read_task(const std::string& description, const std::string& tokenizer, int64_t vocab);

std::vector<std::string> task_makers();  // names
// "induction:pairs=16,period=12,seed=0,first=0"; tokenizer may be null where the task is made of ids.
Probes make_task(const std::string& description, const Tokenizer* tokenizer, int64_t vocab);

// The one token that is this text. Throws Error naming its pieces where it is several.
int64_t single_token(const Tokenizer& tokenizer, const std::string& text);

}  // namespace varve
