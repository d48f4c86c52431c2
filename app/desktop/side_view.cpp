// Header and canvas of a view beside the main one.
#include "app/desktop/side_view.h"

#include <QHBoxLayout>
#include <QStyle>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

SideView::SideView(Desk& desk, const QString& title, QWidget* parent) : QWidget(parent), desk_(desk) {
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
  header->addWidget(title_ = new QLabel(title, header_bar_));
  header->addWidget(header_ = new QLabel(header_bar_), 1);
  header->addWidget(export_ = new QToolButton(header_bar_));
  title_->setObjectName("title");
  header_->setObjectName("second");
  header_->setMinimumWidth(10);
  export_->setObjectName("flat");
  export_->setIconSize({14, 14});
  export_->setFixedSize(24, 20);
  export_->setFocusPolicy(Qt::TabFocus);
  export_->setToolTip(tr("Export (E)"));
  export_->setAccessibleName(tr("Export %1").arg(title));
  column->addWidget(header_bar_);
  column->addWidget(canvas_ = new ViewCanvas(desk, this), 1);
  canvas_->setAccessibleName(title);
  connect(export_, &QToolButton::clicked, this, [this] {
    canvas_->setFocus();  // what is exported is the active view
    emit export_asked();
  });
  connect(canvas_, &ViewCanvas::focus_changed, this, [this](bool has_focus) {
    header_bar_->setProperty("active", has_focus);
    header_bar_->style()->unpolish(header_bar_);
    header_bar_->style()->polish(header_bar_);
  });
  connect(canvas_, &ViewCanvas::header_changed, this, [this] { refresh_header(); });
}

void SideView::show_content(PaneContent content) {
  if (icons_of_ != desk_.theme) {
    icons_of_ = desk_.theme;
    export_->setIcon(glyph_icon(Glyph::share, *desk_.theme));
  }
  canvas_->show_content(std::move(content));
}

void SideView::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  refresh_header();
}

void SideView::refresh_header() {
  const QString words = qtext(canvas_->pane().header());
  header_->setText(header_->fontMetrics().elidedText(words, Qt::ElideRight, std::max(10, header_->width())));
  header_->setToolTip(words);
}

}  // namespace varve
