// Digests and choices over what a reduce is given beside its cells.
#include "analysis/inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/digest.h"
#include "analysis/core/error.h"

namespace varve {
namespace {

void add(Digest& digest, const std::string& name, const Array& array) {
  digest.add(std::string_view(name));
  for (const std::string& axis : array.axes()) digest.add(std::string_view(axis));
  digest.add(array.shape().data(), array.shape().size() * sizeof(int64_t));
  std::visit(
      [&digest](const auto& values) {
        using Value = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_same_v<Value, std::string>) {
          for (const std::string& text : values) digest.add(std::string_view(text));
        } else {
          digest.add(values.data(), values.size() * sizeof(Value));
        }
      },
      array.values());
}

std::string digest_of(const Dataset& data) {
  Digest digest;
  for (const auto& [name, array] : data.arrays()) add(digest, name, array);
  for (const auto& [axis, ticks] : data.coords()) add(digest, axis, ticks);
  return digest.hex();
}

}  // namespace

std::string digest_of(const Inputs& inputs) {
  Digest digest;
  for (const auto& [name, data] : inputs) {
    digest.add(std::string_view(name));
    digest.add(std::string_view(digest_of(data)));
  }
  return digest.hex();
}

std::string described(const Inputs& inputs) {
  std::vector<std::string> words;
  for (const auto& [name, data] : inputs) {
    const auto source = data.provenance.find("source");
    words.push_back(fmt::format("{}: {} ({})", name,
                                source == data.provenance.end() ? data.title : source->second,
                                digest_of(data).substr(0, 12)));
  }
  return fmt::format("{}", fmt::join(words, "; "));
}

bool is_for(const InputInfo& input, const std::string& name) {
  return name == input.name || (input.several && name.starts_with(input.name + "."));
}

const Dataset* find_input(const Inputs& inputs, const std::string& name) {
  const auto found = inputs.find(name);
  return found == inputs.end() ? nullptr : &found->second;
}

const Array& only_array(const Inputs& inputs, const std::string& input) {
  const Dataset* data = find_input(inputs, input);
  if (!data) fail("the input '{}' was not given", input);
  if (data->arrays().size() == 1) return data->arrays().begin()->second;
  if (data->has(input)) return (*data)[input];
  std::vector<std::string> names;
  for (const auto& [name, array] : data->arrays()) names.push_back(name);
  fail_usage("the input '{}' holds several arrays ({}); say which, as in FILE:{}", input,
             fmt::join(names, ", "), names.empty() ? "NAME" : names.front());
}

}  // namespace varve
