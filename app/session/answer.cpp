// Reading ranks of the true token over layers and steps.
#include "app/session/answer.h"

#include "analysis/core/text.h"

namespace varve {

namespace {

bool is_right(const Dataset& data, int64_t layer, int64_t prompt, int64_t pos) {
  const Array& rank = data["rank_true"];
  const int64_t at[] = {layer, prompt, pos};
  return rank.number(rank.flat(at)) == 1;
}

bool has_place(const Dataset& data, int64_t prompt, int64_t pos) {
  return data.has("rank_true") && data.has("tokens") && data.has("token_text") && data.has_axis("layer") &&
         data["rank_true"].axes() == std::vector<std::string>{"layer", "prompt", "pos"} && prompt >= 0 &&
         pos >= 0 && prompt < data.extent("prompt") && pos + 1 < data.extent("pos");
}

std::string layer_words(int64_t layer, int64_t layers) {
  if (layer == 0) return "the embedding";
  if (layer == layers) return "the output";
  return "layer " + std::to_string(layer);
}

// The step from which on the layer is right at each one that was computed.
std::optional<int64_t> right_since(const std::vector<std::pair<int64_t, const Dataset*>>& cells,
                                   int64_t layer, int64_t prompt, int64_t pos) {
  std::optional<int64_t> since;
  for (const auto& [step, data] : cells) {
    if (!is_right(*data, layer, prompt, pos))
      since.reset();
    else if (!since)
      since = step;
  }
  return since;
}

std::string since_words(const std::optional<int64_t>& since, int64_t first, int64_t last) {
  if (!since) return "not at the last step any more";
  if (*since == first) return "at every step";
  if (*since == last) return "at step " + show_step(last) + " only";
  return "from step " + show_step(*since) + " on";
}

}  // namespace

std::optional<Answer> answer_at(const std::vector<std::pair<int64_t, const Dataset*>>& cells, int64_t step,
                                int64_t prompt, int64_t pos) {
  if (cells.empty()) return std::nullopt;
  const std::pair<int64_t, const Dataset*>* looked_at = &cells.front();
  for (const auto& cell : cells) {
    if (!has_place(*cell.second, prompt, pos)) return std::nullopt;
    if (cell.first <= step) looked_at = &cell;
  }
  const Dataset& now = *looked_at->second;
  const Array ids = now["tokens"].at("prompt", prompt), words = now["token_text"].at("prompt", prompt);
  if (ids.number(pos + 1) < 0) return std::nullopt;
  Answer answer;
  answer.after = words.text(pos);
  answer.next = words.text(pos + 1);
  answer.step = looked_at->first;
  answer.layers = now.extent("layer") - 1;
  for (int64_t layer = 0; layer <= answer.layers && !answer.first_layer; ++layer)
    if (is_right(now, layer, prompt, pos)) answer.first_layer = layer;
  answer.output_since = right_since(cells, answer.layers, prompt, pos);
  const int64_t first = cells.front().first, last = cells.back().first;
  const std::string output = "The output says it " + since_words(answer.output_since, first, last) + ".";
  if (!answer.first_layer) {
    answer.sentence = "At step " + show_step(answer.step) + " no layer says " + answer.next + " after " +
                      answer.after + ". " + (answer.output_since ? output : "");
    return answer;
  }
  answer.layer_since = right_since(cells, *answer.first_layer, prompt, pos);
  const std::string who = layer_words(*answer.first_layer, answer.layers);
  answer.sentence = "At step " + show_step(answer.step) + " " + who + " is the first to say " + answer.next +
                    " after " + answer.after + "; it says so " +
                    since_words(answer.layer_since, first, last) + ".";
  if (*answer.first_layer != answer.layers) answer.sentence += " " + output;
  return answer;
}

}  // namespace varve
