// Notes: Markdown bound to where it was written, kept as a plain file in the store.
#pragma once

#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTimer>
#include <QWidget>
#include <memory>
#include <vector>

#include "app/desktop/cards.h"
#include "app/desktop/desk.h"
#include "app/session/notes.h"

namespace varve {

class NotesDock : public QWidget {
  Q_OBJECT

 public:
  explicit NotesDock(Desk& desk, QWidget* parent = nullptr);
  ~NotesDock() override;
  void refresh();
  void add_here();        // a new note at the step and selection of now, ready to be written
  void go_to(int index);  // shows the note and what it is bound to
  void save();
  const std::vector<Note>& notes() const { return notes_; }
  int current() const { return current_; }
  QRect text_place() const;  // on the screen

 signals:
  void close_asked();
  void changed();  // another list of notes

 private:
  void show_current();
  void remove();
  void undo_remove();
  Desk& desk_;
  std::shared_ptr<const Opened> seen_;
  std::vector<Note> notes_, before_removal_;
  int current_ = -1;
  bool is_written_ = true;
  QLabel *place_, *count_;
  QPlainTextEdit* text_;
  QPushButton *add_, *previous_, *next_, *remove_, *undo_;
  ErrorCard* card_;
  QTimer save_timer_;
};

}  // namespace varve
