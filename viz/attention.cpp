// Finds attention weights in a Dataset and thins them to pixels by their largest.
#include "viz/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "viz/draw/glyphs.h"

namespace varve {
namespace {

// NAME_key over the same axes as NAME, whole numbers.
const Array* keys_of(const Dataset& data, const std::string& name) {
  const std::string other = name + "_key";
  if (!data.has(other) || data[other].dtype() != Dtype::i64 || data[other].axes() != data[name].axes())
    return nullptr;
  return &data[other];
}

std::vector<std::string> tokens_of(const Dataset& data, int64_t count, const Places& given,
                                   const Selection& selection) {
  std::vector<std::string> tokens;
  if (!data.has("token_text") || data["token_text"].dtype() != Dtype::text) return tokens;
  const Array& text = data["token_text"];
  const char* along = text.axis("pos") ? "pos" : text.axis("query") ? "query" : nullptr;
  if (!along) return tokens;
  Places ignored;
  const Array one = arranged(text, {along}, data, given, selection, ignored);
  for (int64_t i = 0; i < std::min(count, one.size()); ++i) tokens.push_back(token_label(one.text(i)));
  return tokens;
}

}  // namespace

std::vector<std::string> attention_arrays(const Dataset& data) {
  std::vector<std::string> names;
  for (const auto& [name, array] : data.arrays()) {
    if (!is_numeric(array) || is_companion(data, name) || !array.axis("query")) continue;
    if (array.axis("key") || (array.axis("rank") && keys_of(data, name))) names.push_back(name);
  }
  return names;
}

AttentionData attention_data(const Dataset& data, const std::string& name, const Places& given,
                             const Selection& selection) {
  AttentionData a;
  a.name = name;
  const Array& array = data[name];
  a.weights = &array;
  if (!array.axis("key")) {
    a.key_ids = keys_of(data, name);
    a.key_name = name + "_key";
  }
  const std::string last = a.key_ids ? "rank" : "key";
  std::vector<std::string> drawn = {"query", last};
  for (const char* axis : {"layer", "head"})
    if (array.axis(axis)) a.grid_axes.emplace_back(axis), drawn.emplace_back(axis);
  a.fixed = places_left(array, drawn, data, given, selection);
  int64_t stride = 1;
  for (size_t i = array.axes().size(); i-- > 0; stride *= array.shape()[i]) {
    const std::string& axis = array.axes()[i];
    const int64_t extent = array.shape()[i];
    if (axis == "layer") a.layer_stride_ = stride, a.layers = extent;
    if (axis == "head") a.head_stride_ = stride, a.heads = extent;
    if (axis == "query") a.query_stride_ = stride, a.queries = extent;
    if (axis == last) a.last_stride_ = stride, (a.key_ids ? a.ranks : a.keys) = extent;
    if (const auto place = a.fixed.find(axis); place != a.fixed.end()) a.base_ += place->second * stride;
  }
  if (a.key_ids) a.keys = a.queries;
  if (array.size() == 0) a.queries = a.keys = 0;
  a.tokens = tokens_of(data, a.queries, given, selection);
  // A shorter prompt ends where its tokens do.
  if (data.has("lengths") && is_numeric(data["lengths"]) && a.queries > 0) {
    Places ignored;
    const Array length = arranged(data["lengths"], {}, data, a.fixed, selection, ignored);
    if (length.size() == 1 && length.number(0) >= 1 && length.number(0) < static_cast<double>(a.queries)) {
      a.queries = static_cast<int64_t>(length.number(0));
      a.keys = std::min(a.keys, a.queries);
    }
  }
  return a;
}

double AttentionData::weight(int64_t layer, int64_t head, int64_t query, int64_t key) const {
  const int64_t row = first(layer, head, query);
  if (!is_sparse()) return weights->number(row + key * last_stride_);
  for (int64_t r = 0; r < ranks; ++r)
    if (key_ids->number(row + r * last_stride_) == static_cast<double>(key))
      return weights->number(row + r * last_stride_);
  return std::numeric_limits<double>::quiet_NaN();
}

void AttentionData::largest(int64_t layer, int64_t head, int64_t wide, int64_t high, int64_t left,
                            int64_t top, int64_t w, int64_t h, std::vector<float>& out) const {
  constexpr float nothing = std::numeric_limits<float>::quiet_NaN();
  out.assign(static_cast<size_t>(w * h), nothing);
  if (empty() || wide <= 0 || high <= 0) return;
  // Pixel of a place and the places of a pixel, so that every place falls on at least one pixel.
  const auto pixel = [](int64_t i, int64_t count, int64_t pixels) { return i * pixels / count; };
  const auto end_pixel = [](int64_t i, int64_t count, int64_t pixels) {
    return std::max(i * pixels / count + 1, (i + 1) * pixels / count);
  };
  const int64_t first_query = std::clamp<int64_t>(top * queries / high - 1, 0, queries);
  const int64_t last_query = std::clamp<int64_t>((top + h) * queries / high + 2, 0, queries);
  const auto put = [&](int64_t query, int64_t key, double value) {
    if (!std::isfinite(value) || key < 0 || key >= keys) return;
    const int64_t y0 = std::max(top, pixel(query, queries, high)),
                  y1 = std::min(top + h, end_pixel(query, queries, high));
    const int64_t x0 = std::max(left, pixel(key, keys, wide)),
                  x1 = std::min(left + w, end_pixel(key, keys, wide));
    const auto v = static_cast<float>(value);
    for (int64_t y = y0; y < y1; ++y)
      for (int64_t x = x0; x < x1; ++x) {
        float& at = out[static_cast<size_t>((y - top) * w + (x - left))];
        if (!(at >= v)) at = v;
      }
  };
  const std::span<const float> quick =
      weights->dtype() == Dtype::f32 ? weights->as<float>() : std::span<const float>();
  const auto number = [&](int64_t flat) {
    return quick.empty() ? weights->number(flat) : static_cast<double>(quick[static_cast<size_t>(flat)]);
  };
  if (is_sparse()) {
    const std::span<const int64_t> ids = key_ids->as<int64_t>();
    for (int64_t query = first_query; query < last_query; ++query) {
      const int64_t row = first(layer, head, query);
      for (int64_t r = 0; r < ranks; ++r) {
        const int64_t flat = row + r * last_stride_;
        put(query, ids[static_cast<size_t>(flat)], number(flat));
      }
    }
    return;
  }
  const int64_t first_key = std::clamp<int64_t>(left * keys / wide - 1, 0, keys);
  const int64_t last_key = std::clamp<int64_t>((left + w) * keys / wide + 2, 0, keys);
  for (int64_t query = first_query; query < last_query; ++query) {
    const int64_t row = first(layer, head, query);
    for (int64_t key = first_key; key < last_key; ++key) put(query, key, number(row + key * last_stride_));
  }
}

}  // namespace varve
