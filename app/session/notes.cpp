// Notes as Markdown and back.
#include "app/session/notes.h"

#include <charconv>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

namespace {

constexpr std::string_view mark = "<!-- varve", mark_end = "-->";
constexpr int64_t limit_bytes = 4 << 20;

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<int64_t> number_of(const std::string& text) {
  int64_t value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "step=4000 layer=9 branch=main"; words it does not know are left alone.
void bind(Note& note, const std::string& words) {
  for (const std::string& word : split(words, ' ')) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "branch") {
      note.branch = value;
    } else if (const auto index = number_of(value)) {
      if (name == "step")
        note.step = *index;
      else
        note.at[name] = *index;
    }
  }
}

}  // namespace

std::string Note::title() const {
  const std::string whole = trimmed(text);
  std::string line = whole.substr(0, whole.find('\n'));
  const size_t begin = line.find_first_not_of("# *-");
  line = begin == std::string::npos ? "" : line.substr(begin);
  return line.empty() ? "empty note" : trimmed(line);
}

std::string Note::place_words() const {
  std::string words;
  if (step) words = "step " + show_step(*step);
  for (const auto& [axis, index] : at)
    words += (words.empty() ? "" : " · ") + axis + " " + std::to_string(index);
  if (!branch.empty() && branch != "main") words += (words.empty() ? "" : " · ") + branch;
  return words;
}

std::string notes_to_markdown(const std::vector<Note>& notes) {
  std::string markdown;
  for (const Note& note : notes) {
    markdown += std::string(markdown.empty() ? "" : "\n") + std::string(mark);
    if (note.step) markdown += " step=" + std::to_string(*note.step);
    for (const auto& [axis, index] : note.at) markdown += " " + axis + "=" + std::to_string(index);
    // Names with spaces would come back in pieces.
    if (!note.branch.empty() && note.branch.find(' ') == std::string::npos)
      markdown += " branch=" + note.branch;
    markdown += " " + std::string(mark_end) + "\n" + trimmed(note.text) + "\n";
  }
  return markdown;
}

std::vector<Note> notes_from_markdown(const std::string& markdown) {
  std::vector<Note> notes;
  Note now;
  std::string text;
  bool is_bound = false;
  const auto keep = [&] {
    now.text = trimmed(text);
    if (is_bound || !now.text.empty()) notes.push_back(now);
    now = {};
    text.clear();
  };
  for (const std::string& line : split(markdown, '\n')) {
    const size_t end = line.rfind(mark_end);
    if (!line.starts_with(mark) || end == std::string::npos) {
      text += line + "\n";
      continue;
    }
    keep();
    is_bound = true;
    bind(now, line.substr(mark.size(), end - mark.size()));
  }
  keep();
  return notes;
}

std::filesystem::path notes_file(const std::filesystem::path& store) { return store / "notes.md"; }

std::vector<Note> read_notes(const std::filesystem::path& store) {
  if (!std::filesystem::exists(notes_file(store))) return {};
  return notes_from_markdown(read_file(notes_file(store), limit_bytes));
}

void write_notes(const std::filesystem::path& store, const std::vector<Note>& notes) {
  write_file_atomically(notes_file(store), notes_to_markdown(notes));
}

}  // namespace varve
