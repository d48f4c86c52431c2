// The form of preferences.
#include "app/desktop/preferences_dialog.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/desktop/option_form.h"

namespace varve {

PreferencesDialog::PreferencesDialog(const Preferences& now, QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("Preferences"));
  auto* column = new QVBoxLayout(this);
  auto* form = new QFormLayout;
  form->addRow(tr("Theme"), theme_ = make_choice_box(this));
  theme_->addItems({tr("light"), tr("dark")});
  theme_->setCurrentIndex(now.is_dark ? 1 : 0);
  form->addRow(tr("Font size"), font_ = new QDoubleSpinBox(this));
  font_->setButtonSymbols(QAbstractSpinBox::NoButtons);
  font_->setRange(8.5, 24);
  font_->setSingleStep(0.5);
  font_->setDecimals(1);
  font_->setSuffix(tr(" pt"));
  font_->setSpecialValueText(tr("as the system"));
  font_->setValue(now.font_points >= 9 ? now.font_points : 8.5);
  form->addRow(tr("A drag in a view"), drag_ = make_choice_box(this));
  drag_->addItems({tr("moves it"), tr("zooms into a box")});
  drag_->setCurrentIndex(now.drag_zooms ? 1 : 0);
  drag_->setToolTip(tr("With Ctrl, or with the right button, it does the other."));
  form->addRow(tr("Memory of a run"), memory_ = new QLineEdit(now.memory, this));
  memory_->setPlaceholderText(tr("no limit; as in 2 GB"));
  form->addRow(tr("Threads"), threads_ = new QSpinBox(this));
  threads_->setButtonSymbols(QAbstractSpinBox::NoButtons);
  threads_->setRange(0, 256);
  threads_->setSpecialValueText(tr("all processors"));
  threads_->setValue(now.threads);
  auto* keys = new QPushButton(tr("Change keys …"), this);
  form->addRow(tr("Keys"), keys);
  column->addLayout(form);
  auto* words = new QLabel(tr("Font size and threads hold from the next start."), this);
  words->setObjectName("third");
  column->addWidget(words);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this);
  column->addWidget(buttons);
  connect(keys, &QPushButton::clicked, this, &PreferencesDialog::keys_asked);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

Preferences PreferencesDialog::chosen() const {
  return {.is_dark = theme_->currentIndex() == 1,
          .font_points = font_->value() < 9 ? 0 : font_->value(),
          .threads = threads_->value(),
          .drag_zooms = drag_->currentIndex() == 1,
          .memory = memory_->text().trimmed()};
}

}  // namespace varve
