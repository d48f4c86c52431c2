// Notes as Markdown and back.
#include "app/session/notes.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace varve {
namespace {

TEST(Notes, ComeBackAsTheyWereWritten) {
  const TempFolder folder;
  const std::vector<Note> notes = {
      {.step = 4000,
       .at = {{"layer", 9}, {"pos", 13}},
       .branch = "main",
       .text = "# L9 knows Mary\n\n- from 4k on"},
      {.step = std::nullopt, .at = {}, .branch = "sft", .text = "compare with sft"}};
  write_notes(folder.path(), notes);
  EXPECT_EQ(read_notes(folder.path()), notes);
  EXPECT_EQ(notes[0].title(), "L9 knows Mary");
  EXPECT_EQ(notes[0].place_words(), "step 4k · layer 9 · pos 13");
  EXPECT_EQ(notes[1].place_words(), "sft");
}

TEST(Notes, TheFileIsPlainMarkdown) {
  EXPECT_EQ(notes_to_markdown({{.step = 512, .at = {}, .branch = "main", .text = "grows here"}}),
            "<!-- varve step=512 branch=main -->\ngrows here\n");
}

TEST(Notes, WhatAPersonWroteByHandIsKept) {
  const auto notes =
      notes_from_markdown("to do\n\n<!-- varve step=x layer=2 colour -->\nsecond\n<!-- open\n");
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].text, "to do");
  EXPECT_FALSE(notes[1].step) << "x is no step";
  EXPECT_EQ(notes[1].at.at("layer"), 2);
  EXPECT_EQ(notes[1].text, "second\n<!-- open");
}

TEST(Notes, AStoreWithoutNotesHasNone) {
  const TempFolder folder;
  EXPECT_TRUE(read_notes(folder.path()).empty());
}

}  // namespace
}  // namespace varve
