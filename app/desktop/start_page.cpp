// The start page.
#include "app/desktop/start_page.h"

#include <QHBoxLayout>
#include <QPainter>
#include <filesystem>

#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

namespace {
constexpr int left_width = 464;

QLabel* label(const char* name, const QString& text, QWidget* parent) {
  auto* made = new QLabel(text, parent);
  made->setObjectName(name);
  return made;
}

QPushButton* large_button(const char* name, const QString& text, QWidget* parent) {
  auto* button = new QPushButton(text, parent);
  button->setObjectName(name);
  button->setProperty("large", true);
  return button;
}
}  // namespace

StartPage::StartPage(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  left_ = new QWidget(this);
  left_->setMaximumWidth(left_width);
  left_->setMinimumWidth(360);
  auto* left = new QVBoxLayout(left_);
  left->setContentsMargins(56, 28, 56, 24);
  left->setSpacing(10);
  auto* product = label("product", QStringLiteral("Varve"), left_);
  product->setContentsMargins(60, 0, 0, 0);  // the logo is painted beside it
  left->addWidget(product);
  left->addWidget(
      label("motto", tr("Training leaves layers, one per checkpoint.\nOpen a series and read them."), left_));
  left->addSpacing(16);
  auto* demo = large_button("primary", tr("Open the demo series"), left_);
  left->addWidget(demo);
  auto* two = new QHBoxLayout;
  two->setSpacing(10);
  auto* folder = large_button("large", tr("Open folder …"), left_);
  auto* store = large_button("large", tr("Open store …"), left_);
  two->addWidget(folder);
  two->addWidget(store);
  left->addLayout(two);
  left->addWidget(label("third", tr("16 checkpoints of a small model; needs nothing else."), left_));
  left->addSpacing(8);
  auto* drop =
      label("drop", tr("Drop a model folder, a folder of steps,\na store or a series.toml here"), left_);
  drop->setAlignment(Qt::AlignCenter);
  drop->setFixedHeight(84);
  left->addWidget(drop);

  card_ = new QWidget(left_);
  card_->setObjectName("failcard");
  card_->setAttribute(Qt::WA_StyledBackground);
  auto* card = new QVBoxLayout(card_);
  card->setContentsMargins(12, 8, 12, 8);
  card->addWidget(card_title_ = label("title", tr("That could not be opened"), card_));
  card->addWidget(card_words_ = label("", "", card_));
  card_words_->setWordWrap(true);
  card_words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  left->addWidget(card_);
  left->addStretch();
  row->addWidget(left_);

  auto* right_side = new QWidget(this);
  right_side->setObjectName("canvas");
  right_side->setAttribute(Qt::WA_StyledBackground);
  auto* right = new QVBoxLayout(right_side);
  right->setContentsMargins(40, 36, 40, 24);
  right->setSpacing(4);
  right->addWidget(label("title", tr("Recent"), right_side));
  recent_rows_ = new QVBoxLayout;
  recent_rows_->setSpacing(0);
  right->addLayout(recent_rows_);
  right->addWidget(nothing_ = label("second", tr("Series you open are listed here."), right_side));
  right->addSpacing(20);
  right->addWidget(label("title", tr("What it is for"), right_side));
  right->addWidget(
      label("second",
            tr("Each checkpoint of a training run is one thin layer. Move along them with the arrow keys,\n"
               "ask every layer of the model what comes next, and see when and where it learned that."),
            right_side));
  right->addStretch();
  row->addWidget(right_side, 1);

  connect(demo, &QPushButton::clicked, this, &StartPage::demo_asked);
  connect(folder, &QPushButton::clicked, this, &StartPage::folder_asked);
  connect(store, &QPushButton::clicked, this, &StartPage::store_asked);
}

void StartPage::show_recent(const std::vector<std::string>& recent) {
  if (recent == shown_recent_) return;
  shown_recent_ = recent;
  while (QLayoutItem* item = recent_rows_->takeAt(0)) {
    if (item->widget()) item->widget()->deleteLater();
    delete item;
  }
  for (const std::string& path : recent) {
    const bool is_there = std::filesystem::exists(path);
    const std::string name = std::filesystem::path(path).filename().string();
    auto* button =
        new QPushButton(qtext(name + (is_there ? "" : "   (moved or unmounted)") + "    " + path), this);
    button->setObjectName("row");
    button->setEnabled(is_there);
    button->setToolTip(qtext(path));
    connect(button, &QPushButton::clicked, this, [this, path] { emit path_asked(qtext(path)); });
    recent_rows_->addWidget(button);
  }
  nothing_->setVisible(recent.empty());
}

void StartPage::refresh(const std::vector<std::string>& recent) {
  show_recent(recent);
  const std::string& error = desk_.session->open_error();
  card_->setVisible(!error.empty());
  card_words_->setText(qtext(error));
  update();
}

void StartPage::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
  painter.fillRect(QRect(left_->width(), 0, 1, height()), qcolor(desk_.theme->hair));
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  draw_logo(canvas, {56, 30, 44, 34}, *desk_.theme);
}

}  // namespace varve
