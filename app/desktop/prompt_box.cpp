// Typing a prompt and seeing what it becomes.
#include "app/desktop/prompt_box.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QShortcut>
#include <QToolTip>
#include <QVBoxLayout>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr Font piece_font{.points = 8, .face = Face::mono};
constexpr Font id_font{.points = 7, .face = Face::sans};
constexpr Font note_font{.points = 7.5, .face = Face::sans};
constexpr double chip_height = 34, chip_gap = 3, chip_padding = 6;
}  // namespace

TokenStrip::TokenStrip(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setFixedHeight(static_cast<int>(chip_height));
  setAccessibleName(tr("Tokens of the prompt"));
}

void TokenStrip::refresh() {
  const Prompt& prompt = desk_.session->typed();
  std::string spoken;
  for (size_t i = 0; i < prompt.pieces.size(); ++i)
    spoken += prompt.pieces[i] + " id " + std::to_string(prompt.ids[i]) + "; ";
  setAccessibleDescription(qtext(spoken));
  update();
}

void TokenStrip::paintEvent(QPaintEvent*) {
  const Prompt& prompt = desk_.session->typed();
  const Theme& theme = *desk_.theme;
  QPainter painter(this);
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  ends_.clear();
  if (!prompt.problem.empty()) {
    canvas.text({0, chip_height / 2}, elide(canvas, prompt.problem, note_font, width()), note_font,
                theme.fail);
    return;
  }
  if (prompt.pieces.empty()) {
    const std::string hint =
        desk_.session->opened() && !desk_.session->opened()->tokenizer
            ? desk_.session->opened()->tokenizer_problem
            : "Its tokens and their ids appear here. No token is added that you did not write.";
    canvas.text({0, chip_height / 2}, elide(canvas, hint, note_font, width()), note_font, theme.ink3);
    return;
  }
  const auto selected = desk_.session->choice().selection.index("pos");
  double x = 0;
  for (size_t i = 0; i < prompt.pieces.size(); ++i) {
    const std::string id = std::to_string(prompt.ids[i]);
    const double wide =
        std::max(canvas.text_width(prompt.pieces[i], piece_font), canvas.text_width(id, id_font)) +
        2 * chip_padding;
    const size_t left_out = prompt.pieces.size() - i;
    const std::string more = "+ " + std::to_string(left_out) + " more";
    const double reserve = left_out > 1 ? canvas.text_width(more, note_font) + chip_gap : 0;
    if (x + wide + reserve > width()) {
      canvas.text({x + 4, chip_height / 2}, more, note_font, theme.ink3);
      break;
    }
    const Box chip{x, 0, wide, chip_height};
    const bool is_selected = selected && *selected == static_cast<int64_t>(i);
    canvas.fill(chip, is_selected ? theme.soft : theme.raised, 3);
    if (is_selected) canvas.frame(chip, theme.ink, 2, 3);
    canvas.text({x + wide / 2, 12}, prompt.pieces[i], piece_font, theme.ink, Align::center);
    canvas.text({x + wide / 2, 25}, id, id_font, theme.ink3, Align::center);
    ends_.push_back(x + wide);
    x += wide + chip_gap;
  }
}

int64_t TokenStrip::chip_at(double x) const {
  for (size_t i = 0; i < ends_.size(); ++i)
    if (x < ends_[i]) return static_cast<int64_t>(i);
  return -1;
}

void TokenStrip::mousePressEvent(QMouseEvent* event) {
  const int64_t chip = chip_at(event->position().x());
  if (chip < 0) return;
  desk_.session->select({{"pos", chip}});
  desk_.acted();
}

bool TokenStrip::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const int64_t chip = chip_at(help->pos().x());
  const Prompt& prompt = desk_.session->typed();
  if (chip >= 0 && chip < static_cast<int64_t>(prompt.ids.size()))
    QToolTip::showText(help->globalPos(), tr("position %1 · token %2 · id %3")
                                              .arg(chip)
                                              .arg(qtext(prompt.pieces[static_cast<size_t>(chip)]))
                                              .arg(prompt.ids[static_cast<size_t>(chip)]));
  return true;
}

PromptBox::PromptBox(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(12, 8, 12, 8);
  column->setSpacing(6);
  auto* row = new QHBoxLayout;
  row->setSpacing(8);
  auto* title = new QLabel(tr("Prompt"), this);
  title->setObjectName("title");
  row->addWidget(title);
  row->addWidget(field_ = new QLineEdit(this), 1);
  field_->setObjectName("prompt");
  field_->setAcceptDrops(false);  // a folder dropped here is meant for the window
  field_->setPlaceholderText(tr("Type some text, then press Enter"));
  field_->setAccessibleName(tr("Prompt"));
  title->setBuddy(field_);
  row->addWidget(count_ = new QLabel(this));
  count_->setObjectName("third");
  row->addWidget(run_ = new QPushButton(tr("Run logit lens"), this));
  run_->setObjectName("primary");
  column->addLayout(row);
  column->addWidget(strip_ = new TokenStrip(desk, this));
  connect(field_, &QLineEdit::textEdited, this, [this](const QString& text) {
    desk_.session->type(text.toStdString());
    desk_.acted();
  });
  connect(field_, &QLineEdit::returnPressed, this, [this] { run(); });
  auto* leave = new QShortcut(Qt::Key_Escape, field_, nullptr, nullptr, Qt::WidgetShortcut);
  connect(leave, &QShortcut::activated, this, [this] { emit was_left(); });
  connect(run_, &QPushButton::clicked, this, [this] { run(); });
}

void PromptBox::run() {
  desk_.session->run("logit-lens");
  desk_.acted();
  // The arrow keys now move along the steps instead of along the text.
  if (desk_.session->why_not_run().empty()) emit has_run();
}

void PromptBox::focus() {
  field_->setFocus();
  field_->selectAll();
}

void PromptBox::refresh() {
  const Prompt& prompt = desk_.session->typed();
  if (field_->text().toStdString() != prompt.text) field_->setText(qtext(prompt.text));
  const std::string why = desk_.session->why_not_run();
  run_->setEnabled(why.empty());
  run_->setToolTip(why.empty() ? tr("Run over all checkpoints of the branch (Enter)") : qtext(why));
  count_->setText(prompt.ids.empty() ? QString()
                                     : qtext(show_count(static_cast<int64_t>(prompt.ids.size())) +
                                             (prompt.ids.size() == 1 ? " token" : " tokens")));
  strip_->refresh();
}

void PromptBox::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
}

}  // namespace varve
