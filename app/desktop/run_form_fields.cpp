// The run form's controls: one row for each declared setting, then prompt, steps, precision and memory.
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QScrollArea>
#include <QVBoxLayout>

#include "analysis/core/text.h"
#include "app/desktop/option_form.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/run_form_dock.h"
#include "app/session/recent_runs.h"

namespace varve {

namespace {

QFormLayout* form_layout(QWidget* of) {
  auto* rows = new QFormLayout(of);
  rows->setContentsMargins(0, 0, 0, 0);
  rows->setHorizontalSpacing(8);
  rows->setVerticalSpacing(6);
  rows->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  rows->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  return rows;
}

}  // namespace

RunFormDock::RunFormDock(Desk& desk, std::filesystem::path memory, QWidget* parent)
    : QWidget(parent), desk_(desk), memory_(std::move(memory)) {
  setObjectName("panel");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(header_ = new DockHeader(tr("Run"), this));
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  auto* inside = new QWidget(scroll);
  inside->setObjectName("panel");
  inside->setAttribute(Qt::WA_StyledBackground);
  auto* body = new QVBoxLayout(inside);
  body->setContentsMargins(12, 10, 12, 10);
  body->setSpacing(8);
  body->addWidget(card_ = new ErrorCard(inside));
  body->addWidget(fields_ = new QWidget(inside));
  field_rows_ = form_layout(fields_);
  body->addWidget(fixed_ = new QWidget(inside));
  fixed_rows_ = form_layout(fixed_);
  build_fixed();
  body->addWidget(help_ = named_label("third", {}, inside));
  help_->setWordWrap(true);
  auto* line = new QWidget(inside);
  line->setObjectName("hairline");
  line->setAttribute(Qt::WA_StyledBackground);
  line->setFixedHeight(1);
  body->addWidget(line);
  body->addWidget(cost_ = named_label("second", {}, inside));
  cost_->setWordWrap(true);
  cost_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  body->addStretch();
  scroll->setWidget(inside);
  column->addWidget(scroll, 1);
  // Below what scrolls: Run is seen however little room the fields and the cost have.
  auto* foot = new QVBoxLayout;
  foot->setContentsMargins(12, 8, 12, 10);
  foot->setSpacing(8);
  auto* buttons = new QHBoxLayout;
  buttons->setSpacing(8);
  buttons->addWidget(run_ = new QPushButton(tr("Run"), this), 1);
  buttons->addWidget(copy_ = new QPushButton(tr("Copy command"), this), 1);
  run_->setObjectName("primary");
  run_->setToolTip(tr("Run (Ctrl+Enter)"));
  foot->addLayout(buttons);
  foot->addWidget(off_label_ = named_label("offline", {}, this));
  off_label_->setWordWrap(true);
  column->addLayout(foot);
  try {
    recent_ = read_recent_runs(memory_);
  } catch (const Error& error) {
    card_->show_lines(error_lines("Read the recent runs", error.what()), false);
  }
  connect(header_, &DockHeader::close_asked, this, &RunFormDock::close_asked);
  connect(run_, &QPushButton::clicked, this, [this] { run(); });
  connect(copy_, &QPushButton::clicked, this, [this] {
    if (desk_.session->opened()) QApplication::clipboard()->setText(qtext(command_of(form_, place())));
  });
}

// Label and control, and below them what is wrong, where something is.
QLabel* RunFormDock::add_row(const std::string& field, const QString& label, QWidget* control,
                             const std::string& help) {
  const bool is_fixed = control->parentWidget() == fixed_;
  auto* holder = new QWidget(is_fixed ? fixed_ : fields_);
  auto* column = new QVBoxLayout(holder);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(2);
  column->addWidget(control);
  auto* complaint = named_label("complaint", {}, holder);
  complaint->setWordWrap(true);
  complaint->hide();
  column->addWidget(complaint);
  auto* name = new QLabel(label, holder);
  name->setObjectName("fieldname");
  name->setToolTip(qtext(help));
  name->setMinimumWidth(76);
  name->setBuddy(control);
  control->setToolTip(qtext(help));
  control->setAccessibleName(label);
  control->setAccessibleDescription(qtext(help));
  (is_fixed ? fixed_rows_ : field_rows_)->addRow(name, holder);
  controls_[field] = control;
  complaints_[field] = complaint;
  return name;
}

void RunFormDock::build_fixed() {
  analysis_ = make_choice_box(fixed_);
  analysis_->setAccessibleName(tr("Analysis"));
  for (const Analysis& analysis : analyses().items()) {
    analysis_->addItem(qtext(analysis.name), qtext(analysis.name));
    analysis_->setItemData(analysis_->count() - 1, qtext(analysis.summary), Qt::ToolTipRole);
  }
  connect(analysis_, &QComboBox::activated, this,
          [this] { open_with(analysis_->currentData().toString().toStdString()); });
  fixed_rows_->addRow(named_label("fieldname", tr("analysis"), fixed_), analysis_);

  auto* prompt = new QWidget(fixed_);
  auto* row = new QHBoxLayout(prompt);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(4);
  row->addWidget(prompt_ = new QLineEdit(prompt), 1);
  prompt_->setAcceptDrops(false);  // a folder dropped on any field is meant for the window
  row->addWidget(prompt_menu_ = new QToolButton(prompt));
  prompt_->setPlaceholderText(tr("text, ids:, pack: or task:"));
  prompt_->setMinimumWidth(60);
  prompt_menu_->setText(QStringLiteral("…"));
  prompt_menu_->setToolTip(tr("Packs, tasks, files, ids"));
  prompt_menu_->setAccessibleName(tr("Choose prompts"));
  add_row("prompt", tr("prompt"), prompt,
          "What the model reads: text, as in The king said; ids: 0 17 42; pack: repeat-random:prompts=8; "
          "task: induction:pairs=32, pairs with answers; lines: FILE.");
  connect(prompt_menu_, &QToolButton::clicked, this, [this] { show_prompt_menu(); });
  connect(prompt_, &QLineEdit::textEdited, this, [this](const QString& text) {
    form_.text = text.toStdString();
    prompt_is_shared_ = false;
    changed();
  });
  connect(prompt_, &QLineEdit::returnPressed, this, [this] { run(); });

  auto* steps = new QWidget(fixed_);
  auto* column = new QVBoxLayout(steps);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(4);
  column->addWidget(steps_ = make_choice_box(steps));
  column->addWidget(list_ = new QLineEdit(steps));
  list_->setAcceptDrops(false);
  steps_->addItems({tr("all of the branch"), tr("these"), tr("A and now")});
  add_row("steps", tr("checkpoints"), steps,
          "Which checkpoints: all, a list as in first,1:512:x2,1000:7000:1000,last, or the pinned one and "
          "this one.");
  connect(steps_, &QComboBox::activated, this, [this](int index) {
    form_.steps = static_cast<RunForm::Steps>(index);
    list_->setVisible(form_.steps == RunForm::Steps::list);
    changed();
  });
  connect(list_, &QLineEdit::textEdited, this, [this](const QString& text) {
    form_.list = text.toStdString();
    changed();
  });

  compute_ = make_choice_box(fixed_);
  for (const char* name : {"f32", "f64", "bf16"}) compute_->addItem(name, name);
  add_row("precision", tr("precision"), compute_,
          "f32 is the reference; f64 shows what is rounding, at about twice the time; bf16 is faster and "
          "says its error.");
  connect(compute_, &QComboBox::activated, this, [this] {
    form_.compute = compute_->currentData().toString().toStdString();
    changed();
  });
  limit_ = new QLineEdit(fixed_);
  limit_->setAcceptDrops(false);
  limit_->setPlaceholderText(tr("no limit"));
  add_row("memory", tr("memory"), limit_,
          "What the whole program may hold at its peak, as in 2 GB. With less, prompts go through in more "
          "passes.");
  connect(limit_, &QLineEdit::textEdited, this, [this](const QString& text) {
    form_.memory = text.trimmed().toStdString();
    changed();
  });
  auto* recent = new QWidget(fixed_);
  auto* recent_row = new QHBoxLayout(recent);
  recent_row->setContentsMargins(0, 0, 0, 0);
  recent_row->addWidget(recent_menu_ = new QToolButton(recent));
  recent_row->addStretch();
  recent_menu_->setText(tr("Recent settings"));
  recent_menu_->setAccessibleName(tr("Recent settings"));
  fixed_rows_->addRow(named_label("fieldname", {}, fixed_), recent);
  connect(recent_menu_, &QToolButton::clicked, this, [this] { show_recent_menu(); });
}

// Made anew for each analysis; values come from the form.
void RunFormDock::build_fields() {
  const Analysis& analysis = analyses().get(form_.analysis);
  header_->set_title(tr("Run: ") + qtext(form_.analysis));
  analysis_->setCurrentIndex(analysis_->findData(qtext(form_.analysis)));
  if (built_for_ != form_.analysis) {
    built_for_ = form_.analysis;
    for (const std::string& name : [this] {
           std::vector<std::string> names;
           for (const auto& [field, control] : controls_)
             if (fields_->isAncestorOf(control)) names.push_back(field);
           return names;
         }()) {
      controls_.erase(name);
      complaints_.erase(name);
    }
    inputs_.clear();
    told_.clear();
    while (field_rows_->rowCount() > 0) field_rows_->removeRow(0);
    build_inputs(analysis);
    for (const SettingInfo& info : analysis.settings) {
      QWidget* control =
          make_form_widget(info, fields_, [this](const std::string& name, const std::string& value) {
            form_.settings[name] = value;
            changed();
          });
      const std::string help = info.help + (info.default_text.empty() ? "" : " (" + info.default_text + ")");
      add_row(setting_field(info), qtext(setting_label(info.name)), control, help);
    }
    fields_->setVisible(!analysis.settings.empty() || !analysis.inputs.empty());
    help_->setText(qtext(analysis.summary));
  }
  for (const SettingInfo& info : analysis.settings) {
    const auto given = form_.settings.find(info.name);
    show_option_value(controls_.at(setting_field(info)), info,
                      given == form_.settings.end() ? info.default_text : given->second);
  }
  for (const auto& [name, edit] : inputs_) {
    const auto given = form_.inputs.find(name);
    edit->setText(given == form_.inputs.end() ? QString() : qtext(given->second));
  }
  prompt_->setText(qtext(form_.text));
  fixed_rows_->setRowVisible(prompt_->parentWidget()->parentWidget(), analysis.needs_probes);
  const bool reads_checkpoints = makes_cells(analysis, {});
  for (const char* field : {"steps", "precision", "memory"})
    fixed_rows_->setRowVisible(controls_.at(field)->parentWidget(), reads_checkpoints);
  steps_->setCurrentIndex(static_cast<int>(form_.steps));
  list_->setText(qtext(form_.list));
  list_->setVisible(form_.steps == RunForm::Steps::list);
  compute_->setCurrentIndex(std::max(0, compute_->findData(qtext(form_.compute))));
  const int64_t most = desk_.session->max_memory();  // of Preferences
  limit_->setPlaceholderText(most > 0 ? qtext(show_bytes(most)) : tr("no limit"));
  limit_->setText(qtext(form_.memory));
}

}  // namespace varve
