// Reads the names that training runs give their checkpoints.
#include <cmath>
#include <regex>

#include "analysis/core/error.h"
#include "loaders/series.h"

namespace varve {
namespace {

constexpr size_t longest_name = 200;  // std::regex recurses over the text

int64_t number(const std::ssub_match& match) { return std::stoll(match.str()); }

// Tokens a step of the published series whose names carry both (OLMo, OLMoE): 2, 4 and 8 Mi.
constexpr double known_rates[] = {2097152, 4194304, 8388608};

// Names round down in one series and up in another, hence one unit to either side.
bool fits_a_known_rate(int64_t step, int64_t tokens, int64_t unit) {
  for (const double rate : known_rates)
    if (std::abs(static_cast<double>(step) * rate - static_cast<double>(tokens)) <= static_cast<double>(unit))
      return true;
  return false;
}

// stage2-ingredient1-step1000-tokens5B, step1000, step_1000, stage1-step-1000, step1000-unsharded
std::optional<RevisionName> plain_step(const std::string& name) {
  static const std::regex pattern(
      R"((?:(stage\d{1,6}(?:-ingredient\d{1,6})?)-)?step[-_]?(\d{1,15})(?:-tokens(\d{1,6})([MBT]))?(?:-unsharded)?)");
  std::smatch match;
  if (!std::regex_match(name, match, pattern)) return std::nullopt;
  RevisionName revision;
  revision.step = number(match[2]);
  if (match[1].matched) revision.branch = match[1];
  if (match[3].matched) {
    const int64_t unit = match[4] == "M" ? 1'000'000 : match[4] == "B" ? 1'000'000'000 : 1'000'000'000'000;
    revision.tokens = number(match[3]) * unit;
    if (!fits_a_known_rate(revision.step, revision.tokens, unit))
      revision.note = fmt::format(
          "'{}': step {} and {}{} tokens do not go together at 2, 4 or 8 Mi tokens a step; both "
          "are kept as named",
          name, revision.step, match[3].str(), match[4].str());
  }
  return revision;
}

}  // namespace

std::optional<RevisionName> parse_revision(const std::string& name) {
  if (name.empty() || name.size() > longest_name) return std::nullopt;
  if (std::optional<RevisionName> revision = plain_step(name)) return revision;
  RevisionName revision;
  std::smatch match;
  static const std::regex thousands(R"(step[-_]?(\d{1,12})k)");
  if (std::regex_match(name, match, thousands)) {
    revision.step = number(match[1]) * 1000;
    return revision;
  }
  static const std::regex counted[] = {
      std::regex(R"(checkpoint[-_](\d{1,15}))"),
      std::regex(R"(global_?step[-_]?(\d{1,15}))"),
      std::regex(R"(epoch=\d{1,9}-step=(\d{1,15})(?:\.ckpt)?)"),
      std::regex(R"(ckpt[-_]?(\d{1,15})(?:\.pt|\.pth|\.ckpt)?)"),
      std::regex(R"(iter[-_](\d{1,15}))"),
      std::regex(R"(ep\d{1,9}-ba(\d{1,15}))"),
  };
  for (const std::regex& pattern : counted)
    if (std::regex_match(name, match, pattern)) {
      revision.step = number(match[1]);
      return revision;
    }
  // NAME_000524288.pth counts tokens, not steps.
  static const std::regex token_count(R"(\w+_(\d{6,15})\.pth)");
  if (std::regex_match(name, match, token_count)) {
    revision.tokens = number(match[1]);
    return revision;
  }
  return std::nullopt;
}

}  // namespace varve
