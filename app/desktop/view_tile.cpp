// Header, options and empty face around a view's canvas.
#include "app/desktop/view_tile.h"

#include <QApplication>
#include <QHBoxLayout>
#include <QMouseEvent>
#include <QStyle>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"
#include "app/desktop/view_options.h"

namespace varve {

namespace {

constexpr int header_height = 26, least_title = 40, least_words = 36;

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

void set_look(QWidget* widget, const char* property, const QVariant& value) {
  if (widget->property(property) == value) return;
  widget->setProperty(property, value);
  widget->style()->unpolish(widget);
  widget->style()->polish(widget);
}

QLabel* add_label(QBoxLayout* row, const char* name, QWidget* parent, int stretch = 0) {
  auto* label = new QLabel(parent);
  label->setObjectName(name);
  // The bar beneath takes the mouse: a view is dragged by its title too.
  row->addWidget(label, stretch, Qt::AlignVCenter);
  return label;
}

}  // namespace

void ViewHeader::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  is_held_ = true;
  pressed_at_ = event->globalPosition().toPoint();
  emit pressed();
}

void ViewHeader::mouseMoveEvent(QMouseEvent* event) {
  const QPoint at = event->globalPosition().toPoint();
  if (is_held_ && (at - pressed_at_).manhattanLength() >= QApplication::startDragDistance())
    is_dragging_ = true;
  if (is_dragging_) emit dragged(at);
}

void ViewHeader::mouseReleaseEvent(QMouseEvent* event) {
  const bool was_dragging = is_dragging_;
  is_held_ = is_dragging_ = false;
  if (was_dragging) emit dropped(event->globalPosition().toPoint());
}

void ViewHeader::mouseDoubleClickEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) emit double_clicked();
}

void ViewHeader::contextMenuEvent(QContextMenuEvent* event) { emit menu_asked(event->globalPos()); }

ViewTile::ViewTile(Desk& desk, std::shared_ptr<ScreenFonts> fonts, int64_t id, QWidget* parent)
    : QWidget(parent), desk_(desk), id_(id) {
  setObjectName("canvas");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  build_header();
  column->addWidget(header_bar_);
  options_bar_ = new ViewOptions(desk, id, this);
  options_bar_->hide();
  column->addWidget(options_bar_);
  pages_ = new QStackedWidget(this);
  pages_->addWidget(canvas_ = new ViewCanvas(desk, std::move(fonts), pages_));
  build_empty();
  pages_->addWidget(empty_);
  column->addWidget(pages_, 1);
  canvas_->choose = [this](const std::map<std::string, int64_t>& at, bool adds) {
    if (!content_.data) return;
    const auto [place, step] = chosen_place(*content_.data, at);
    if (adds)
      desk_.session->toggle_in_set(place);
    else
      desk_.session->select(place, step);
  };
  canvas_->grant = [this](const PaneWish& wish) {
    for (const auto& [name, value] : wish.options) desk_.session->set_view_option(id_, name, value);
    const Array* steps = content_.data ? content_.data->coord("step") : nullptr;
    if (wish.steps && steps && std::max(wish.steps->first, wish.steps->second) < steps->size()) {
      const auto [a, b] = std::minmax(wish.steps->first, wish.steps->second);
      desk_.session->brush(
          std::pair(static_cast<int64_t>(steps->number(a)), static_cast<int64_t>(steps->number(b))));
    }
    desk_.acted();
  };
  connect(canvas_, &ViewCanvas::focus_changed, this, [this](bool has_focus) {
    if (has_focus) emit activated();
  });
  connect(canvas_, &ViewCanvas::header_changed, this, [this] { refresh_header(); });
}

void ViewTile::build_header() {
  header_bar_ = new ViewHeader(this);
  header_bar_->setObjectName("header");
  header_bar_->setAttribute(Qt::WA_StyledBackground);
  header_bar_->setFixedHeight(header_height);
  auto* header = new QHBoxLayout(header_bar_);
  header->setContentsMargins(10, 0, 4, 0);
  header->setSpacing(8);
  title_ = add_label(header, "title", header_bar_);
  badge_ = add_label(header, "badge", header_bar_);
  badge_->setFixedHeight(18);
  lock_ = add_label(header, "badge", header_bar_);
  lock_->setFixedHeight(18);
  lock_->setText(tr("own place"));
  lock_->setProperty("tone", "warn");
  lock_->hide();
  header_ = add_label(header, "second", header_bar_, 1);
  title_->setMinimumWidth(10);
  header_->setMinimumWidth(1);
  export_ = add_button(tr("Export (E)"), tr("Export"));
  menu_ = add_button(tr("View menu"), tr("View menu"));
  close_ = add_button(tr("Close this view"), tr("Close"));
  for (QToolButton* button : {export_, menu_, close_}) header->addWidget(button);
  header->setSpacing(6);
  connect(export_, &QToolButton::clicked, this, [this] {
    emit activated();
    take_focus();
    emit export_asked();
  });
  connect(menu_, &QToolButton::clicked, this, [this] {
    take_focus();
    emit menu_asked(menu_->mapToGlobal(QPoint(0, menu_->height())));
  });
  connect(close_, &QToolButton::clicked, this, &ViewTile::close_asked);
  connect(header_bar_, &ViewHeader::pressed, this, [this] {
    emit activated();
    take_focus();
  });
  connect(header_bar_, &ViewHeader::menu_asked, this, &ViewTile::menu_asked);
}

QToolButton* ViewTile::add_button(const QString& tip, const QString& name) {
  auto* button = new QToolButton(header_bar_);
  button->setObjectName("flat");
  button->setIconSize({14, 14});
  button->setFixedSize(22, 20);
  button->setFocusPolicy(Qt::TabFocus);
  button->setToolTip(tip);
  button->setAccessibleName(name);
  return button;
}

void ViewTile::build_empty() {
  empty_ = new QWidget(pages_);
  empty_->setObjectName("canvas");
  empty_->setAttribute(Qt::WA_StyledBackground);
  empty_->setFocusPolicy(Qt::ClickFocus);
  auto* column = new QVBoxLayout(empty_);
  column->addStretch();
  column->addWidget(empty_words_ = new QLabel(empty_));
  empty_words_->setObjectName("motto");
  empty_words_->setWordWrap(true);
  empty_words_->setAlignment(Qt::AlignCenter);
  column->addSpacing(12);
  column->addWidget(empty_button_ = new QPushButton(empty_), 0, Qt::AlignCenter);
  empty_button_->setObjectName("primary");
  empty_button_->setProperty("large", true);
  column->addStretch();
  connect(empty_button_, &QPushButton::clicked, this, [this] {
    if (content_.offer.empty()) return;
    desk_.session->run(content_.offer);
    desk_.acted();
  });
}

std::string ViewTile::empty_text() const {
  return pages_->currentWidget() == empty_ ? empty_words_->text().toStdString() : "";
}

std::string ViewTile::file_stem() const {
  if (!content_.view) return "view";
  return content_.view->name + (content_.step >= 0 ? "-step" + std::to_string(content_.step) : "");
}

// The row of options counts though it is seen in the active view only: tiles must not move when another view
// becomes the active one.
int ViewTile::words_height() const { return header_height + options_bar_->height_in(width()); }

QWidget* ViewTile::focus_part() {
  if (pages_->currentWidget() == canvas_) return canvas_;
  return empty_button_->isHidden() ? static_cast<QWidget*>(menu_) : empty_button_;
}

void ViewTile::take_focus() {
  const bool has_part = pages_->currentWidget() == canvas_ || !empty_button_->isHidden();
  (has_part ? focus_part() : empty_)->setFocus();
}

void ViewTile::set_icons() {
  if (icons_of_ == desk_.theme) return;
  icons_of_ = desk_.theme;
  export_->setIcon(glyph_icon(Glyph::share, *desk_.theme));
  menu_->setIcon(glyph_icon(Glyph::more, *desk_.theme));
  close_->setIcon(glyph_icon(Glyph::close, *desk_.theme));
}

void ViewTile::refresh(const OpenView& view, ViewContent content, bool is_active) {
  content_ = std::move(content);
  is_active_ = is_active;
  set_icons();
  set_look(header_bar_, "active", is_active);
  const bool is_drawn = content_.view != nullptr;
  options_bar_->refresh(content_);
  if (is_drawn) {
    canvas_->show_content({.view = content_.view,
                           .data = content_.data,
                           .options = content_.options,
                           .selection = content_.selection,
                           .theme = desk_.theme,
                           .set = desk_.session->choice().set.members,
                           .drag_zooms = desk_.drag_zooms,
                           .computing = content_.computing});
  } else {
    empty_words_->setText(qtext(content_.empty));
    empty_button_->setVisible(!content_.offer.empty());
    empty_button_->setText(content_.offer == "logit-lens" ? tr("Run logit lens")
                                                          : tr("Run %1").arg(qtext(content_.offer)));
  }
  pages_->setCurrentWidget(is_drawn ? static_cast<QWidget*>(canvas_) : empty_);
  options_bar_->setVisible(is_drawn && !options_bar_->is_bare() && (is_active || view.pins_options));
  lock_->setVisible(view.own_step || view.own_layer);
  export_->setEnabled(is_drawn);
  canvas_->setAccessibleName(qtext(content_.title));
  refresh_header();
}

int ViewTile::words_room() const {
  const QMargins margins = header_bar_->layout()->contentsMargins();
  int room = width() - margins.left() - margins.right() - header_bar_->layout()->spacing();
  for (const QWidget* part :
       {static_cast<QWidget*>(badge_), static_cast<QWidget*>(lock_), static_cast<QWidget*>(export_),
        static_cast<QWidget*>(menu_), static_cast<QWidget*>(close_)})
    if (!part->isHidden())
      room -= std::clamp(part->sizeHint().width(), part->minimumWidth(), part->maximumWidth()) +
              header_bar_->layout()->spacing();
  return room;
}

// The title comes before what is drawn: it is cut where nothing else is left to give way.
void ViewTile::refresh_header() {
  const bool is_drawn = content_.view != nullptr;
  badge_->setVisible(is_drawn);
  if (is_drawn) {
    const auto [words, tone] = badge_of(*content_.data);
    badge_->setText(qtext(words));
    badge_->setToolTip(checks_tip(*content_.data));
    set_look(badge_, "tone", qtext(tone));
  }
  const QString title = qtext(content_.title);
  const int room = words_room();
  title_->setText(title_->fontMetrics().elidedText(title, Qt::ElideRight, std::max(least_title, room)));
  title_->setToolTip(title);
  std::string text;
  if (is_drawn) {
    const std::string drawn = canvas_->pane().header();
    text = content_.note.empty() || drawn.empty() ? content_.note + drawn : content_.note + " · " + drawn;
  }
  const int left = room - title_->sizeHint().width();
  header_->setText(left < least_words ? QString()
                                      : header_->fontMetrics().elidedText(qtext(text), Qt::ElideRight, left));
  header_->setToolTip(qtext(text));
}

void ViewTile::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  refresh_header();
}

void ViewTile::mousePressEvent(QMouseEvent*) {
  emit activated();
  take_focus();
}

}  // namespace varve
