// Listing and changing keys.
#include "app/desktop/keys_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QKeySequenceEdit>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

// What the mouse does and what a view does with keys of its own: no actions, but belongs on the sheet.
const std::vector<std::pair<const char*, const char*>>& other_keys() {
  static const std::vector<std::pair<const char*, const char*>> all{
      {"Wheel", "zoom a view at the pointer; with Alt along x only, with Shift along y only"},
      {"Right drag, Ctrl+drag",
       "zoom into a box; a flat one along x only (Preferences may swap it with a plain drag)"},
      {"Drag", "move a view's content; a double click fits it"},
      {"Ctrl+click", "add a mark to the set, or take it out"},
      {"Shift+drag", "brush steps, on the rail or in a view that has them"},
      {"Click on the name of a line", "hide the line, or show it again"},
      {"Enter, Esc", "cell mode of a view on and off: arrows move the cell, Alt+arrows the step"},
      {"Tab", "next control"}};
  return all;
}

}  // namespace

KeysDialog::KeysDialog(Actions& actions, Kind kind, QWidget* parent)
    : QDialog(parent), actions_(actions), kind_(kind) {
  setWindowTitle(kind == Kind::sheet ? tr("Keys") : tr("Preferences: keys"));
  resize(620, 560);
  auto* column = new QVBoxLayout(this);
  auto* sought = new QLineEdit(this);
  sought->setPlaceholderText(tr("Find an action or a key"));
  sought->setAccessibleName(tr("Find"));
  column->addWidget(sought);
  column->addWidget(table_ = new QTableWidget(this), 1);
  table_->setColumnCount(3);
  table_->setHorizontalHeaderLabels({tr("Action"), tr("Menu"), tr("Key")});
  table_->verticalHeader()->hide();
  table_->setShowGrid(false);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  table_->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  table_->setColumnWidth(2, 170);
  column->addWidget(said_ = new QLabel(kind == Kind::sheet ? tr("Keys are changed in Edit, Preferences.")
                                                           : tr("Click a key, then press the new one. "
                                                                "Backspace takes it away."),
                                       this));
  said_->setObjectName("third");
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  if (kind == Kind::rebind) {
    auto* standard = buttons->addButton(tr("Standard keys"), QDialogButtonBox::ResetRole);
    connect(standard, &QPushButton::clicked, this, [this, sought] {
      actions_.use_keys({});
      fill(sought->text());
    });
  }
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  column->addWidget(buttons);
  connect(sought, &QLineEdit::textChanged, this, [this](const QString& text) { fill(text); });
  fill({});
}

void KeysDialog::fill(const QString& sought) {
  table_->setRowCount(0);
  const auto add = [&](const QString& words, const QString& menu, const QString& key) {
    if (!sought.isEmpty() && !words.contains(sought, Qt::CaseInsensitive) &&
        !key.contains(sought, Qt::CaseInsensitive))
      return -1;
    const int row = table_->rowCount();
    table_->insertRow(row);
    table_->setItem(row, 0, new QTableWidgetItem(words));
    table_->setItem(row, 1, new QTableWidgetItem(menu));
    table_->setItem(row, 2, new QTableWidgetItem(key));
    return row;
  };
  for (const ActionEntry& entry : actions_.all()) {
    const QKeySequence key = entry.action->shortcut();
    if (kind_ == Kind::sheet && key.isEmpty()) continue;
    // The words as they were: undo says in the menu what it would undo.
    const int row = add(qtext(entry.id.substr(entry.menu.size() + 2)), qtext(entry.menu),
                        key.toString(QKeySequence::NativeText));
    if (row < 0 || kind_ == Kind::sheet) continue;
    auto* edit = new QKeySequenceEdit(key, table_);
    edit->setAccessibleName(tr("Key of %1").arg(qtext(entry.id)));
    connect(edit, &QKeySequenceEdit::editingFinished, this, [this, edit, id = entry.id] {
      const QKeySequence wanted = edit->keySequence();
      const std::string owner = actions_.owner_of(wanted, id);
      if (!owner.empty()) {
        said_->setText(tr("%1 is the key of %2. Take it away there first.")
                           .arg(wanted.toString(QKeySequence::NativeText), qtext(owner)));
        edit->setKeySequence(actions_.find(id)->shortcut());
        return;
      }
      actions_.set_key(id, wanted);
      said_->setText(tr("%1 is now %2.")
                         .arg(qtext(id), wanted.isEmpty() ? tr("without a key")
                                                          : wanted.toString(QKeySequence::NativeText)));
    });
    table_->setCellWidget(row, 2, edit);
  }
  if (kind_ == Kind::sheet)
    for (const auto& [key, words] : other_keys()) add(tr(words), tr("mouse, view"), tr(key));
  table_->resizeRowsToContents();
}

}  // namespace varve
