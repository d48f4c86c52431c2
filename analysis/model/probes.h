// Probes: ragged token-id lists, never padded, no hidden BOS. The ids are the record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace varve {

// What a task asks of one prompt: a corrupted twin of equal length, and which answers are right and wrong.
struct Question {
  std::vector<int64_t> corrupted;           // empty where the task has no twin
  std::vector<int64_t> correct, incorrect;  // token ids; several where any of them counts
  int64_t position = -1;                    // where the answer is read; negative counts from the end
};

struct Probes {
  std::vector<std::vector<int64_t>> prompts;
  std::string name;                      // "text", "tokens", "repeat-random v1 seed 0"
  std::vector<Question> questions = {};  // of a task: one a prompt; else empty
  std::string digest() const;            // over the ids and their lengths, not the name
  int64_t longest() const;
  int64_t tokens() const;  // in all
};

// "repeat-random:prompts=8,period=24,seed=0,first=0" -> pack. Known packs: repeat-random, induction (alias,
// ids 0 first). Throws Error naming the packs there are.
Probes make_pack(const std::string& description, int64_t vocab);
std::vector<std::string> pack_names();

// Throws Error naming prompt, position, id and vocabulary size; also on an empty prompt or one longer than
// `context`.
void check_probes(const Probes& probes, int64_t vocab, int64_t context);

}  // namespace varve
