// Header, options and empty state around a view's canvas.
#include "app/desktop/view_host.h"

#include <QStyle>
#include <QVBoxLayout>

#include "analysis/core/text.h"
#include "app/desktop/option_form.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

namespace {

// The weakest fact first: a broken identity, else how many hold.
std::pair<std::string, std::string> badge_of(const Dataset& data) {
  for (const Check& check : data.checks)
    if (!check.passed) return {"✕ " + check.name, "fail"};
  if (data.checks.empty()) return {"no checks", "warn"};
  return {"✓ " + std::to_string(data.checks.size()) + (data.checks.size() == 1 ? " check" : " checks"), "ok"};
}

QString checks_tip(const Dataset& data) {
  QString tip;
  for (const Check& check : data.checks) {
    if (!tip.isEmpty()) tip += "\n";
    tip += qtext(fmt::format("{} {}: worst {}, limit {}, n = {}", check.passed ? "✓" : "✕", check.name,
                             show_number(check.residual), show_number(check.limit), show_count(check.n)));
  }
  return tip;
}

std::string title_of(const View& view) {
  std::string title = view.name;
  for (char& c : title)
    if (c == '-') c = ' ';
  if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

void restyle(QWidget* widget) {
  widget->style()->unpolish(widget);
  widget->style()->polish(widget);
}

}  // namespace

ViewHost::ViewHost(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setObjectName("canvas");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);

  header_bar_ = new QWidget(this);
  header_bar_->setObjectName("header");
  header_bar_->setFixedHeight(26);
  auto* header = new QHBoxLayout(header_bar_);
  header->setContentsMargins(10, 0, 4, 0);
  header->setSpacing(8);
  header->addWidget(title_ = new QLabel(header_bar_));
  header->addWidget(badge_ = new QLabel(header_bar_), 0, Qt::AlignVCenter);
  header->addWidget(header_ = new QLabel(header_bar_), 1);
  title_->setObjectName("title");
  badge_->setObjectName("badge");
  badge_->setFixedHeight(18);
  header_->setObjectName("second");
  header_->setMinimumWidth(10);
  header->addWidget(fit_ = new QToolButton(header_bar_));
  header->addWidget(export_ = new QToolButton(header_bar_));
  for (QToolButton* button : {fit_, export_}) {
    button->setObjectName("flat");
    button->setIconSize({14, 14});
    button->setFixedSize(24, 20);
    button->setFocusPolicy(Qt::TabFocus);
  }
  fit_->setToolTip(tr("Fit (R, F or double-click)"));
  fit_->setAccessibleName(tr("Fit"));
  export_->setToolTip(tr("Export (E)"));
  export_->setAccessibleName(tr("Export"));
  column->addWidget(header_bar_);

  options_bar_ = new QWidget(this);
  options_row_ = new QHBoxLayout(options_bar_);
  options_row_->setContentsMargins(10, 8, 10, 2);
  options_row_->setSpacing(8);
  column->addWidget(options_bar_);

  pages_ = new QStackedWidget(this);
  canvas_ = new ViewCanvas(desk, pages_);
  pages_->addWidget(canvas_);
  empty_ = new QWidget(pages_);
  auto* empty = new QVBoxLayout(empty_);
  empty->addStretch();
  empty->addWidget(empty_words_ = new QLabel(empty_), 0, Qt::AlignCenter);
  empty_words_->setObjectName("motto");
  empty_words_->setWordWrap(true);
  empty_words_->setMinimumWidth(360);
  empty_words_->setAlignment(Qt::AlignCenter);
  empty->addSpacing(12);
  empty->addWidget(empty_button_ = new QPushButton(empty_), 0, Qt::AlignCenter);
  empty_button_->setObjectName("primary");
  empty_button_->setProperty("large", true);
  empty->addStretch();
  pages_->addWidget(empty_);
  column->addWidget(pages_, 1);

  connect(fit_, &QToolButton::clicked, this, [this] {
    canvas_->pane().fit();
    canvas_->update();
  });
  connect(export_, &QToolButton::clicked, this, &ViewHost::export_asked);
  connect(canvas_, &ViewCanvas::focus_changed, this, [this](bool has_focus) {
    header_bar_->setProperty("active", has_focus);
    restyle(header_bar_);
  });
  connect(canvas_, &ViewCanvas::header_changed, this, [this] { refresh_header(desk_.session->shown()); });
  connect(empty_button_, &QPushButton::clicked, this, [this] {
    desk_.session->run("logit-lens");
    desk_.acted();
  });
}

std::string ViewHost::empty_text() const {
  return pages_->currentWidget() == empty_ ? empty_words_->text().toStdString() : "";
}

void ViewHost::refresh() {
  if (icons_of_ != desk_.theme) {
    icons_of_ = desk_.theme;
    fit_->setIcon(glyph_icon(Glyph::fit, *desk_.theme));
    export_->setIcon(glyph_icon(Glyph::share, *desk_.theme));
  }
  const Shown shown = desk_.session->shown();
  content_.theme = desk_.theme;
  content_.data = shown.data;
  content_.selection = desk_.session->choice().selection;
  content_.computing.clear();
  if (shown.data) {
    const std::string& wanted = desk_.session->choice().view;
    const View* chosen = wanted.empty() ? nullptr : views().find(wanted);
    content_.view = chosen ? chosen : best_view(*shown.data);
    const Run* run = desk_.session->current_run();
    const int64_t step = desk_.session->choice().step;
    if (run && run->running() && shown.step != step) content_.computing = "computing step " + show_step(step);
  }
  build_options();
  const bool drawable = content_.view && content_.data;
  if (drawable) {
    content_.options =
        normalise(content_.view->options, desk_.session->choice().options, content_.view->name);
    canvas_->show_content(content_);
  } else {
    refresh_empty();
  }
  pages_->setCurrentWidget(drawable ? static_cast<QWidget*>(canvas_) : empty_);
  options_bar_->setVisible(drawable && options_row_->count() > 0);
  fit_->setEnabled(drawable);
  export_->setEnabled(drawable);
  if (drawable) show_options();
  refresh_header(shown);
}

void ViewHost::refresh_header(const Shown& shown) {
  const bool drawable = content_.view && content_.data;
  title_->setText(drawable ? qtext(title_of(*content_.view)) : tr("Logit lens"));
  badge_->setVisible(drawable);
  if (!drawable) {
    header_->setText({});
    return;
  }
  const auto [words, tone] = badge_of(*shown.data);
  badge_->setText(qtext(words));
  badge_->setToolTip(checks_tip(*shown.data));
  if (badge_->property("tone").toString() != qtext(tone)) {
    badge_->setProperty("tone", qtext(tone));
    restyle(badge_);
  }
  std::string text = canvas_->pane().header();
  const int64_t step = desk_.session->choice().step;
  if (shown.step != step)
    text = "step " + show_step(step) + ", lens from " + show_step(shown.step) + " · " + text;
  header_->setText(
      header_->fontMetrics().elidedText(qtext(text), Qt::ElideRight, std::max(10, header_->width())));
  header_->setToolTip(qtext(text));
}

void ViewHost::refresh_empty() {
  const Session& session = *desk_.session;
  const Run* run = session.current_run();
  const std::string why = session.why_not_run();
  const std::string step = session.stop() ? show_step(session.stop()->step) : "";
  std::string words;
  if (run && run->running())
    words = "Computing the lens of step " + step + " first.";
  else if (run && run->job && run->job->state() == Job::State::failed)
    words = "The run failed: " + run->job->error();
  else if (session.typed().ids.empty())
    words = "No lens yet. Type a prompt above: its tokens appear, and Run asks every layer what comes next.";
  else
    words = "No lens for this prompt yet.";
  empty_words_->setText(qtext(words));
  empty_button_->setText(tr("Run logit lens"));
  empty_button_->setVisible(why.empty() && !(run && run->running()));
}

void ViewHost::build_options() {
  if (!content_.view || options_of_ == content_.view) return;
  options_of_ = content_.view;
  while (QLayoutItem* item = options_row_->takeAt(0)) {
    if (item->widget()) item->widget()->deleteLater();
    delete item;
  }
  for (const SettingInfo& info : content_.view->options) {
    if (info.kind == SettingKind::text) continue;  // for recipes; the window has its selection
    auto* label = new QLabel(qtext(option_label(info)), options_bar_);
    label->setObjectName("second");
    options_row_->addWidget(label);
    options_row_->addWidget(
        make_option_widget(info, options_bar_, [this](const std::string& name, const std::string& value) {
          desk_.session->set_option(name, value);
          desk_.acted();
        }));
  }
  if (!content_.view->options.empty()) options_row_->addStretch();
}

void ViewHost::show_options() {
  for (const SettingInfo& info : content_.view->options)
    if (auto* widget = options_bar_->findChild<QWidget*>(qtext(option_object_name(info))))
      show_option_value(widget, info, content_.options.at(info.name));
}

}  // namespace varve
