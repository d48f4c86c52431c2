// The notice card.
#include "app/desktop/notice.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QPushButton>
#include <QVBoxLayout>

namespace varve {

Notice::Notice(QWidget* parent) : QWidget(parent) {
  setObjectName("failcard");
  setAttribute(Qt::WA_StyledBackground);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 6, 8, 6);
  auto* column = new QVBoxLayout;
  column->setSpacing(2);
  column->addWidget(title_ = new QLabel(this));
  title_->setObjectName("title");
  column->addWidget(words_ = new QLabel(this));
  words_->setWordWrap(true);
  words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  row->addLayout(column, 1);
  auto* copy = new QPushButton(tr("Copy details"), this);
  auto* dismiss = new QPushButton(tr("Dismiss"), this);
  row->addWidget(copy);
  row->addWidget(dismiss);
  connect(copy, &QPushButton::clicked, this,
          [this] { QApplication::clipboard()->setText(title_->text() + "\n" + words_->text()); });
  connect(dismiss, &QPushButton::clicked, this, &QWidget::hide);
  hide();
}

void Notice::say(const QString& title, const QString& words) {
  title_->setText(title);
  words_->setText(words);
  show();
}

std::string Notice::words() const { return isHidden() ? "" : words_->text().toStdString(); }

}  // namespace varve
