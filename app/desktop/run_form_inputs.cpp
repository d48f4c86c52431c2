// The run form's fields for what an analysis reads beside the checkpoints: results and tables.
#include <QHBoxLayout>
#include <QMenu>
#include <algorithm>

#include "analysis/core/text.h"
#include "app/desktop/file_dialog.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/run_form_dock.h"
#include "app/session/trimmed.h"

namespace varve {

void RunFormDock::build_inputs(const Analysis& analysis) {
  for (const InputInfo& input : analysis.inputs) {
    auto* field = new QWidget(fields_);
    auto* row = new QHBoxLayout(field);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    auto* edit = new QLineEdit(field);
    edit->setAcceptDrops(false);
    edit->setMinimumWidth(60);
    edit->setPlaceholderText(input.needed ? tr("a result or a file") : tr("none"));
    auto* menu = new QToolButton(field);
    menu->setText(QStringLiteral("…"));
    menu->setToolTip(tr("Stored results, files"));
    menu->setAccessibleName(tr("Choose %1").arg(qtext(input.name)));
    row->addWidget(edit, 1);
    row->addWidget(menu);
    inputs_[input.name] = edit;
    const std::string several = input.several ? " Several: 70m=FIRST; 160m=SECOND." : "";
    add_row(input_field(input), qtext(setting_label(input_field(input))), field,
            input.help + (input.needed ? " (needed)." : ".") +
                " STORE:KEY of a result, or FILE, FILE:ARRAY, a folder." + several);
    auto* told = named_label("third", {}, field->parentWidget());
    told->setWordWrap(true);
    told->hide();
    field->parentWidget()->layout()->addWidget(told);
    told_[input.name] = told;
    connect(edit, &QLineEdit::textEdited, this, [this, name = input.name](const QString& text) {
      form_.inputs[name] = text.toStdString();
      changed();
    });
    connect(edit, &QLineEdit::returnPressed, this, [this] { run(); });
    connect(menu, &QToolButton::clicked, this, [this, input, edit] { show_input_menu(input, edit); });
  }
}

// What is chosen joins what is there already where an input takes several.
void RunFormDock::set_input(const std::string& name, const std::string& text) {
  const std::vector<InputInfo>& all = analyses().get(form_.analysis).inputs;
  const auto input =
      std::find_if(all.begin(), all.end(), [&name](const InputInfo& one) { return one.name == name; });
  const auto edit = inputs_.find(name);
  if (input == all.end() || edit == inputs_.end()) return;
  std::string& given = form_.inputs[name];
  given = input->several && !given.empty() ? given + "; " + text : text;
  edit->second->setText(qtext(given));
  changed();
}

// A key says nothing to a reader: what it stands for is said below.
void RunFormDock::tell_inputs() {
  const std::vector<StoredRun> all = results ? results() : std::vector<StoredRun>{};
  for (const auto& [name, label] : told_) {
    std::string words;
    const auto given = form_.inputs.find(name);
    for (const std::string& part : split(given == form_.inputs.end() ? "" : given->second, ';')) {
      const size_t colon = part.rfind(':');
      if (colon == std::string::npos) continue;
      const std::string which = key_words(trimmed(part.substr(colon + 1)), all);
      if (!which.empty()) words += (words.empty() ? "" : "\n") + which;
    }
    label->setVisible(!words.empty());
    // The words of a task are one long word: they may break behind their commas.
    label->setText(
        qtext(words).replace(',', QStringLiteral(",\u200B")).replace(':', QStringLiteral(":\u200B")));
  }
}

void RunFormDock::show_input_menu(const InputInfo& input, QLineEdit* into) {
  QMenu menu(this);
  // Where it lies now: while the menu is open another series may be.
  const std::string store = desk_.session->opened() ? desk_.session->opened()->store->folder().string() : "";
  const auto offer = [&](const std::string& words, const std::string& key) {
    menu.addAction(qtext(words), this,
                   [this, name = input.name, where = store + ":" + key] { set_input(name, where); });
  };
  const std::vector<StoredRun> all = !store.empty() && results ? results() : std::vector<StoredRun>{};
  for (const StoredRun& run : all) {
    if (!run.series_key.empty()) offer(key_words(run.series_key, all), run.series_key);
    if (const auto cell = run.cells.find(desk_.session->choice().step); cell != run.cells.end())
      offer(key_words(cell->second, all), cell->second);
  }
  if (menu.isEmpty()) menu.addAction(tr("The store holds no result yet"))->setEnabled(false);
  menu.addSeparator();
  menu.addAction(tr("A table from a file …"), this, [this, name = input.name] {
    const QString file = ask_file_to_read(this, tr("A table: .csv, .json, .jsonl, .npy, .npz or .h5"));
    if (!file.isEmpty()) set_input(name, file.toStdString());
  });
  menu.addAction(tr("A folder of tables …"), this, [this, name = input.name] {
    const QString folder = ask_folder(this, tr("A folder of tables"));
    if (!folder.isEmpty()) set_input(name, folder.toStdString());
  });
  if (!into->text().isEmpty())
    menu.addAction(tr("None"), this, [this, name = input.name, into] {
      form_.inputs.erase(name);
      into->clear();
      changed();
    });
  menu.exec(into->mapToGlobal(QPoint(0, into->height())));
}

}  // namespace varve
