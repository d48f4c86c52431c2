// Models and settings in words and as JSON, alike in every verb.
#include "app/console/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/core/text.h"

namespace varve {
namespace {

const char* kind_name(SettingKind kind) {
  switch (kind) {
    case SettingKind::boolean:
      return "boolean";
    case SettingKind::integer:
      return "integer";
    case SettingKind::real:
      return "real";
    case SettingKind::choice:
      return "choice";
    case SettingKind::text:
      break;
  }
  return "text";
}

bool has_range(const SettingInfo& setting) {
  return setting.range.low > -1e299 || setting.range.high < 1e299;
}

std::string range_text(const SettingInfo& setting) {
  if (!setting.choices.empty()) return fmt::format("{}", fmt::join(setting.choices, "|"));
  if (!has_range(setting)) return kind_name(setting.kind);
  return fmt::format("{} {:g} to {:g}", kind_name(setting.kind), setting.range.low, setting.range.high);
}

}  // namespace

std::string describe(const ModelSpec& spec) {
  std::string text = fmt::format("{} ({}), {} layer{}, d_model {}", spec.family, spec.architecture,
                                 spec.layers, spec.layers == 1 ? "" : "s", spec.d_model);
  text += spec.attention
              ? fmt::format(", {} head{} of {}", spec.heads, spec.heads == 1 ? "" : "s", spec.d_head)
              : ", without attention";
  if (spec.attention && spec.kv_heads != spec.heads)
    text += fmt::format(" over {} key-value heads", spec.kv_heads);
  if (spec.experts > 0)
    text +=
        fmt::format(", {} experts of {}, {} a token", spec.experts, spec.d_expert, spec.experts_per_token);
  else if (spec.mlp)
    text += fmt::format(", d_mlp {}", spec.d_mlp);
  return text + fmt::format(", vocabulary {}, context {}", show_count(spec.vocab), show_count(spec.context));
}

std::string describe(const SettingInfo& setting) {
  return fmt::format("  {} ({}; default {})\n      {}", setting.name, range_text(setting),
                     setting.default_text.empty() ? "empty" : setting.default_text, setting.help);
}

Json to_json(const SettingInfo& setting) {
  Json out{{"name", setting.name},
           {"kind", kind_name(setting.kind)},
           {"default", setting.default_text},
           {"help", setting.help}};
  if (!setting.choices.empty()) out["choices"] = setting.choices;
  if (has_range(setting)) out["range"] = {setting.range.low, setting.range.high};
  return out;
}

Json checks_json(const std::vector<Check>& checks) {
  Json out = Json::array();
  for (const Check& check : checks)
    out.push_back({{"name", check.name},
                   {"residual", check.residual},
                   {"limit", check.limit},
                   {"n", check.n},
                   {"passed", check.passed},
                   {"detail", check.detail}});
  return out;
}

std::string describe(const std::vector<Check>& checks) {
  if (checks.empty()) return "no checks recorded";
  std::string failed, passed;
  for (const Check& check : checks) {
    std::string& list = check.passed ? passed : failed;
    list +=
        fmt::format("\n  {} {}: worst {} of at most {}, n = {}", check.passed ? "ok  " : "FAIL", check.name,
                    show_number(check.residual), show_number(check.limit), show_count(check.n));
    if (!check.detail.empty()) list += " (" + check.detail + ")";
  }
  return fmt::format("{} check{}{}{}", checks.size(), checks.size() == 1 ? "" : "s", failed, passed);
}

}  // namespace varve
