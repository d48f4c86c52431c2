// Where a verb's words go: results on stdout, remarks on stderr.
#include <cstdio>
#include <string>

#include "analysis/core/error.h"
#include "app/console/progress_line.h"
#include "app/verbs/verb.h"

namespace varve {

void Console::print(const std::string& text) const {
  if (line) line->erase();
  const bool ended = !text.empty() && text.back() == '\n';
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                       (ended || std::fputc('\n', stdout) != EOF) && std::fflush(stdout) == 0;
  if (!written) fail("could not write the result to stdout; is the disk full or the reader gone?");
}

void Console::remark(const std::string& text) const {
  if (quiet) return;
  if (line) line->erase();
  std::fputs((text + "\n").c_str(), stderr);
}

}  // namespace varve
