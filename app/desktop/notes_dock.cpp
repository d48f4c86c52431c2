// The notes dock.
#include "app/desktop/notes_dock.h"

#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>

#include "analysis/core/error.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr int save_millis = 600;  // after the last letter
}

NotesDock::NotesDock(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setObjectName("panel");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* header = new DockHeader(tr("Notes"), this);
  column->addWidget(header);
  auto* body = new QVBoxLayout;
  body->setContentsMargins(12, 8, 12, 8);
  body->setSpacing(6);
  body->addWidget(card_ = new ErrorCard(this));
  auto* top = new QHBoxLayout;
  top->addWidget(place_ = named_label("second", {}, this), 1);
  top->addWidget(count_ = named_label("third", {}, this));
  body->addLayout(top);
  body->addWidget(text_ = new QPlainTextEdit(this), 1);
  text_->setAcceptDrops(false);  // a folder dropped here is meant for the window
  text_->setPlaceholderText(tr("Markdown. Kept as notes.md in the store's folder."));
  text_->setAccessibleName(tr("Note"));
  text_->setTabChangesFocus(true);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(4);
  buttons->addWidget(add_ = new QPushButton(tr("Note here"), this));
  buttons->addWidget(previous_ = new QPushButton(QStringLiteral("‹"), this));
  buttons->addWidget(next_ = new QPushButton(QStringLiteral("›"), this));
  previous_->setAccessibleName(tr("Previous note"));
  next_->setAccessibleName(tr("Next note"));
  buttons->addStretch();
  buttons->addWidget(undo_ = new QPushButton(tr("Undo"), this));
  buttons->addWidget(remove_ = new QPushButton(tr("Remove"), this));
  body->addLayout(buttons);
  column->addLayout(body, 1);
  save_timer_.setSingleShot(true);
  save_timer_.setInterval(save_millis);
  connect(header, &DockHeader::close_asked, this, &NotesDock::close_asked);
  connect(&save_timer_, &QTimer::timeout, this, [this] { save(); });
  connect(text_, &QPlainTextEdit::textChanged, this, [this] {
    if (current_ < 0) return;
    notes_[static_cast<size_t>(current_)].text = text_->toPlainText().toStdString();
    is_written_ = false;
    save_timer_.start();
  });
  connect(add_, &QPushButton::clicked, this, [this] { add_here(); });
  connect(previous_, &QPushButton::clicked, this, [this] { go_to(current_ - 1); });
  connect(next_, &QPushButton::clicked, this, [this] { go_to(current_ + 1); });
  connect(remove_, &QPushButton::clicked, this, [this] { remove(); });
  connect(undo_, &QPushButton::clicked, this, [this] { undo_remove(); });
  undo_->hide();
}

NotesDock::~NotesDock() { save(); }

void NotesDock::refresh() {
  if (desk_.session->opened() == seen_) return;
  save();
  seen_ = desk_.session->opened();
  notes_.clear();
  current_ = -1;
  card_->hide();
  undo_->hide();
  if (seen_) {
    try {
      notes_ = read_notes(seen_->store->folder());
    } catch (const Error& error) {
      card_->show_lines(error_lines("Read the notes", error.what()), false);
    }
  }
  if (!notes_.empty()) current_ = 0;
  show_current();
  emit changed();
}

void NotesDock::save() {
  if (is_written_ || !seen_) return;
  try {
    write_notes(seen_->store->folder(), notes_);
    is_written_ = true;
    card_->hide();
  } catch (const Error& error) {
    card_->show_lines(error_lines("Keep the notes", error.what()), false);
  }
  emit changed();
}

void NotesDock::add_here() {
  if (!desk_.session->opened()) return;
  const Choice& choice = desk_.session->choice();
  Note note;
  note.step = choice.step;
  note.at = choice.selection.at;
  note.branch = choice.branch;
  notes_.push_back(std::move(note));
  current_ = static_cast<int>(notes_.size()) - 1;
  show_current();
  text_->setFocus();
}

void NotesDock::go_to(int index) {
  if (notes_.empty()) return;
  current_ = std::clamp(index, 0, static_cast<int>(notes_.size()) - 1);
  show_current();
  const Note& note = notes_[static_cast<size_t>(current_)];
  if (note.step || !note.at.empty()) desk_.session->select(note.at, note.step);
  desk_.acted();
}

void NotesDock::remove() {
  if (current_ < 0) return;
  before_removal_ = notes_;
  notes_.erase(notes_.begin() + current_);
  current_ = std::min(current_, static_cast<int>(notes_.size()) - 1);
  is_written_ = false;
  show_current();
  undo_->show();
  save();
}

void NotesDock::undo_remove() {
  notes_ = before_removal_;
  current_ = static_cast<int>(notes_.size()) - 1;
  is_written_ = false;
  show_current();
  undo_->hide();
  save();
}

void NotesDock::show_current() {
  const bool has = current_ >= 0;
  {
    const QSignalBlocker quiet(text_);
    text_->setPlainText(has ? qtext(notes_[static_cast<size_t>(current_)].text) : QString());
  }
  text_->setEnabled(has);
  place_->setText(has ? qtext(notes_[static_cast<size_t>(current_)].place_words())
                      : tr("No note yet. N writes one about what is selected."));
  count_->setText(has ? tr("%1 of %2").arg(current_ + 1).arg(notes_.size()) : QString());
  previous_->setEnabled(current_ > 0);
  next_->setEnabled(has && current_ + 1 < static_cast<int>(notes_.size()));
  remove_->setEnabled(has);
  add_->setEnabled(seen_ != nullptr);
}

QRect NotesDock::text_place() const {
  if (!text_->isVisible()) return {};
  return {text_->mapToGlobal(QPoint(0, 0)), text_->size()};
}

}  // namespace varve
