// Reads "name=number" lists against the names there are.
#include "analysis/model/named_numbers.h"

#include <charconv>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/settings.h"
#include "analysis/core/text.h"

namespace varve {

Numbers read_numbers(const std::string& whose, const std::string& text, Numbers values) {
  if (text.empty()) return values;
  std::vector<std::string> names;
  for (const auto& [name, value] : values) names.push_back(name);
  for (const std::string& part : split(text, ',')) {
    const size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const auto found = values.find(name);
    if (found == values.end())
      fail_usage("{} has no setting '{}'; did you mean '{}'?", whose, name, nearest(name, names));
    const std::string number = equals == std::string::npos ? "" : part.substr(equals + 1);
    const auto [end, wrong] = std::from_chars(number.data(), number.data() + number.size(), found->second);
    if (number.empty() || wrong != std::errc() || end != number.data() + number.size())
      fail_usage("{}: '{}' should be a whole number, as in {}=8", whose, part, name);
  }
  return values;
}

}  // namespace varve
