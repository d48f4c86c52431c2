// Notes a person writes while looking: Markdown in one plain file of the store, each bound to where it was
// written.
//
//   <!-- varve step=4000 layer=9 pos=13 branch=main -->
//   ## L9 knows "Mary" from 4k on
//   words, as many lines as wanted
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace varve {

struct Note {
  std::optional<int64_t> step;        // what it is bound to
  std::map<std::string, int64_t> at;  // layer, pos, head ...
  std::string branch;
  std::string text;                 // Markdown
  std::string title() const;        // its first line, without marks
  std::string place_words() const;  // "step 4k · layer 9 · pos 13"
  bool operator==(const Note&) const = default;
};

std::string notes_to_markdown(const std::vector<Note>& notes);
// What stands before the first mark is a note bound to nothing: files written by hand lose nothing.
std::vector<Note> notes_from_markdown(const std::string& markdown);

std::filesystem::path notes_file(const std::filesystem::path& store);
std::vector<Note> read_notes(
    const std::filesystem::path& store);  // empty where there is no file; throws Error
void write_notes(const std::filesystem::path& store, const std::vector<Note>& notes);  // atomic

}  // namespace varve
