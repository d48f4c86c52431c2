// Regular-expression matching with PCRE2, bounded in time and memory whatever the pattern.
#include "analysis/model/text_split.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "analysis/core/error.h"
#include "analysis/model/unicode_text.h"

namespace varve {

// Contractions, then words, numbers and signs each with one space before them, then white space that leaves
// one space to the word after it.
const char* const gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

// One match of an honest pattern backtracks over one word; this many steps are a hostile one.
constexpr uint32_t most_steps_a_match = 20'000'000;
constexpr size_t most_pattern_bytes = 64 << 10;
constexpr size_t jit_stack_start = 32 << 10, jit_stack_most = 16 << 20;
// And all matches of one text together: honest patterns cut more than a megabyte a second.
constexpr std::chrono::duration<double> patience{10.0};
constexpr double patience_bytes_a_second = 1e5;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};
using CompileContext = std::unique_ptr<pcre2_compile_context, Release<pcre2_compile_context_free>>;
using Code = std::unique_ptr<pcre2_code, Release<pcre2_code_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Release<pcre2_match_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Release<pcre2_match_data_free>>;
using JitStack = std::unique_ptr<pcre2_jit_stack, Release<pcre2_jit_stack_free>>;

std::string pcre2_message(int code) {
  PCRE2_UCHAR text[256];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

struct Part {
  Cut cut;
  bool is_delimiter = false;
};

// Joins parts into words; which delimiter goes where is decided left to right, or right to left for the next
// word.
std::vector<Cut> join(std::vector<Part> parts, Delimiter delimiter) {
  std::vector<Cut> cuts;
  const bool backwards = delimiter == Delimiter::merged_with_next;
  if (backwards) std::reverse(parts.begin(), parts.end());
  bool delimiter_before = false;
  for (const Part& part : parts) {
    bool joins = false;
    switch (delimiter) {
      case Delimiter::isolated:
        break;
      case Delimiter::removed:
        if (part.is_delimiter) continue;
        break;
      case Delimiter::contiguous:
        joins = part.is_delimiter == delimiter_before;
        break;
      case Delimiter::merged_with_previous:
      case Delimiter::merged_with_next:
        joins = part.is_delimiter && !delimiter_before;
        break;
    }
    delimiter_before = part.is_delimiter;
    if (!joins || cuts.empty()) {
      cuts.push_back(part.cut);
    } else {
      cuts.back() = {std::min(cuts.back().begin, part.cut.begin), std::max(cuts.back().end, part.cut.end)};
    }
  }
  if (backwards) std::reverse(cuts.begin(), cuts.end());
  std::erase_if(cuts, [](const Cut& cut) { return cut.begin == cut.end; });
  return cuts;
}

}  // namespace

struct Splitter::Inner {
  SplitRule rule;
  Code code;

  // The parts of `valid`, which has no stray byte; `base` is its place in the whole text.
  void find(std::string_view valid, size_t base, std::vector<Part>& parts) const;
};

Splitter::Splitter(const SplitRule& rule) : inner_(std::make_unique<Inner>()) {
  inner_->rule = rule;
  const std::string pattern = rule.literal ? rule.pattern : pcre2_pattern(rule.pattern);
  if (pattern.empty()) fail("pre_tokenizer: a Split pattern is empty. Is the file whole?");
  const CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_max_pattern_length(context.get(), most_pattern_bytes);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  // MULTILINE because in Ruby's syntax ^ and $ always mean a line's ends.
  const uint32_t options = rule.literal ? PCRE2_UTF | PCRE2_LITERAL
                                        : PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int error = 0;
  PCRE2_SIZE place = 0;
  inner_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options,
                                   &error, &place, context.get()));
  if (!inner_->code) {
    fail(
        "pre_tokenizer: pattern '{}' cannot be compiled: {} (near character {}). Give token ids instead of "
        "text",
        rule.pattern.substr(0, 200), pcre2_message(error), place);
  }
  // Where there is no compiler for this machine PCRE2 interprets, with the same results.
  pcre2_jit_compile(inner_->code.get(), PCRE2_JIT_COMPLETE);
}

Splitter::~Splitter() = default;
Splitter::Splitter(Splitter&&) noexcept = default;

void Splitter::Inner::find(std::string_view valid, size_t base, std::vector<Part>& parts) const {
  const MatchContext context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), most_steps_a_match);
  const MatchData data(pcre2_match_data_create_from_pattern(code.get(), nullptr));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(valid.data());
  const auto begun = std::chrono::steady_clock::now();
  const auto allowed =
      patience + std::chrono::duration<double>(static_cast<double>(valid.size()) / patience_bytes_a_second);

  JitStack stack;
  size_t done = 0, from = 0;
  int64_t last_end = -1;
  const auto add = [&](size_t begin, size_t end, bool matched) {
    parts.push_back({{base + begin, base + end}, matched != rule.invert});
  };
  while (from <= valid.size()) {
    const auto match = [&] {
      return pcre2_match(code.get(), subject, valid.size(), from, PCRE2_NO_UTF_CHECK, data.get(),
                         context.get());
    };
    int found = match();
    // The small stack that comes for nothing serves nearly all words; making a large one costs more than they
    // do.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT && !stack) {
      stack.reset(pcre2_jit_stack_create(jit_stack_start, jit_stack_most, nullptr));
      pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
      found = match();
    }
    if (found == PCRE2_ERROR_NOMATCH) break;
    const bool too_long = std::chrono::steady_clock::now() - begun > allowed;
    if (found < 0 || too_long) {
      fail("pre_tokenizer: matching pattern '{}' was given up: {}. Give token ids instead of text",
           rule.pattern.substr(0, 200), too_long ? "it takes too long" : pcre2_message(found));
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    const size_t begin = bounds[0], end = bounds[1];
    if (begin < done || end < begin || end > valid.size()) {
      fail("pre_tokenizer: pattern '{}' matches backwards. Give token ids instead of text",
           rule.pattern.substr(0, 200));
    }
    // An empty match right after the last one would never move on.
    if (begin == end && static_cast<int64_t>(end) == last_end) {
      if (from >= valid.size()) break;
      from += character_at(valid, from).length;
      continue;
    }
    if (done < begin) add(done, begin, false);
    add(begin, end, true);
    done = from = end;
    last_end = static_cast<int64_t>(end);
  }
  if (done < valid.size()) add(done, valid.size(), false);
}

std::vector<Cut> Splitter::split(std::string_view text) const {
  std::vector<Cut> cuts;
  for (size_t at = 0; at < text.size();) {
    const size_t valid_end = end_of_run(text, at, false);
    if (valid_end > at) {
      std::vector<Part> parts;
      inner_->find(text.substr(at, valid_end - at), at, parts);
      for (const Cut& cut : join(std::move(parts), inner_->rule.delimiter)) cuts.push_back(cut);
    }
    const size_t stray_end = end_of_run(text, valid_end, true);
    if (stray_end > valid_end) cuts.push_back({valid_end, stray_end});
    at = stray_end;
  }
  return cuts;
}

}  // namespace varve
