// Dock headers and error cards.
#include "app/desktop/cards.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QStyle>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/desktop/painter_canvas.h"

namespace varve {

void restyle(QWidget* widget, const char* property, const QVariant& value) {
  if (widget->property(property) == value) return;
  widget->setProperty(property, value);
  widget->style()->unpolish(widget);
  widget->style()->polish(widget);
}

QLabel* named_label(const char* name, const QString& text, QWidget* parent) {
  auto* label = new QLabel(text, parent);
  label->setObjectName(name);
  return label;
}

DockHeader::DockHeader(const QString& title, QWidget* parent) : QWidget(parent) {
  setObjectName("header");
  setAttribute(Qt::WA_StyledBackground);
  setFixedHeight(26);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 0, 4, 0);
  row->addWidget(title_ = named_label("title", title, this), 1);
  title_->setMinimumWidth(40);
  auto* close = new QToolButton(this);
  close->setObjectName("flat");
  close->setText(QStringLiteral("×"));
  close->setFixedSize(20, 20);
  close->setToolTip(tr("Close"));
  close->setAccessibleName(tr("Close %1").arg(title));
  row->addWidget(close);
  connect(close, &QToolButton::clicked, this, &DockHeader::close_asked);
}

void DockHeader::set_title(const QString& title) { title_->setText(title); }

ErrorCard::ErrorCard(QWidget* parent) : QWidget(parent) {
  setObjectName("failcard");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(12, 8, 10, 8);
  column->setSpacing(4);
  column->addWidget(asked_ = named_label("title", {}, this));
  column->addWidget(found_ = new QLabel(this));
  column->addWidget(try_ = new QLabel(this));
  for (QLabel* label : {asked_, found_, try_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setMinimumWidth(60);
  }
  auto* row = new QHBoxLayout;
  row->setSpacing(8);
  row->addWidget(again_ = new QPushButton(tr("Try again"), this));
  auto* copy = new QPushButton(tr("Copy details"), this);
  auto* dismiss = new QPushButton(tr("Dismiss"), this);
  row->addWidget(copy);
  row->addWidget(dismiss);
  row->addStretch();
  column->addLayout(row);
  connect(again_, &QPushButton::clicked, this, &ErrorCard::try_asked);
  connect(copy, &QPushButton::clicked, this,
          [this] { QApplication::clipboard()->setText(qtext(lines_.whole())); });
  connect(dismiss, &QPushButton::clicked, this, [this] {
    hide();
    emit dismissed();
  });
  hide();
}

void ErrorCard::show_lines(const ErrorLines& lines, bool can_try) {
  lines_ = lines;
  asked_->setText(qtext(lines.asked));
  found_->setText(qtext(lines.found));
  try_->setText(qtext(lines.try_this));
  again_->setVisible(can_try);
  show();
}

}  // namespace varve
