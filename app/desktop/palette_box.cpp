// The palette's field, list and keys.
#include "app/desktop/palette_box.h"

#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

constexpr int widest = 640, row_height = 24, most_rows = 12, top = 34;
constexpr size_t most_found = 200;
constexpr int kind_role = Qt::UserRole, key_role = Qt::UserRole + 1, off_role = Qt::UserRole + 2;
constexpr Font words_font{.points = 8.5, .face = Face::sans};
constexpr Font small_font{.points = 7.5, .face = Face::sans};
constexpr Font key_font{.points = 7.5, .face = Face::mono};

// Kind in ink3, words, why it is off, the key at the right.
class RowPainter : public QStyledItemDelegate {
 public:
  RowPainter(Desk& desk, QObject* parent) : QStyledItemDelegate(parent), desk_(desk) {}
  QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {100, row_height}; }
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
    const Theme& theme = *desk_.theme;
    const QRect r = option.rect;
    PainterCanvas canvas(*painter, {0, 0, 0, 0}, painter->device()->devicePixelRatioF());
    const Box box{r.x() * 1.0, r.y() * 1.0, r.width() * 1.0, r.height() * 1.0};
    if (option.state.testFlag(QStyle::State_Selected)) {
      canvas.fill(box, theme.soft);
      canvas.fill({box.x, box.y, 3, box.h}, theme.accent);
    }
    const double y = box.y + box.h / 2;
    const std::string kind = index.data(kind_role).toString().toStdString();
    const std::string key = index.data(key_role).toString().toStdString();
    const std::string off = index.data(off_role).toString().toStdString();
    canvas.text({box.x + 12, y}, kind, small_font, theme.ink3);
    const double right = box.right() - 12 - (key.empty() ? 0 : canvas.text_width(key, key_font) + 12);
    if (!key.empty()) canvas.text({box.right() - 12, y}, key, key_font, theme.ink3, Align::right);
    const double left = box.x + 76;
    const std::string words = elide(canvas, index.data().toString().toStdString(), words_font, right - left);
    canvas.text({left, y}, words, words_font, off.empty() ? theme.ink : theme.ink3);
    const double after = left + canvas.text_width(words, words_font) + 14;
    if (!off.empty() && after < right - 40)
      canvas.text({after, y}, elide(canvas, off, small_font, right - after), small_font, theme.warn);
  }

 private:
  Desk& desk_;
};

}  // namespace

PaletteBox::PaletteBox(Desk& desk, QWidget* parent) : QFrame(parent), desk_(desk) {
  setObjectName("palette");
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(9, 9, 9, 9);
  column->setSpacing(6);
  column->addWidget(field_ = new QLineEdit(this));
  field_->setPlaceholderText(
      tr("Go to anything: view, analysis, head, step …   > actions   : places   = settings"));
  field_->setAccessibleName(tr("Command palette"));
  field_->setAcceptDrops(false);
  column->addWidget(list_ = new QListView(this), 1);
  list_->setFrameShape(QFrame::NoFrame);
  list_->setFocusPolicy(Qt::NoFocus);
  list_->setUniformItemSizes(true);
  list_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  list_->setItemDelegate(new RowPainter(desk, list_));
  list_->setModel(model_ = new QStandardItemModel(list_));
  list_->setAccessibleName(tr("What was found"));
  column->addWidget(
      hint_ = new QLabel(tr("Enter does it · Ctrl+Enter in a new view · Tab completes · Esc closes"), this));
  hint_->setObjectName("third");
  field_->installEventFilter(this);
  connect(field_, &QLineEdit::textChanged, this, [this] { search(); });
  connect(list_, &QListView::clicked, this, [this] { act(false); });
  hide();
}

void PaletteBox::open(std::vector<PaletteEntry> entries, std::vector<std::string> recent,
                      const QString& typed) {
  entries_ = std::move(entries);
  recent_ = std::move(recent);
  field_->setText(typed);
  search();
  show();
  raise();
  field_->setFocus();
}

std::vector<std::string> PaletteBox::shown_words() const {
  std::vector<std::string> words;
  for (int row = 0; row < model_->rowCount(); ++row) words.push_back(model_->item(row)->text().toStdString());
  return words;
}

void PaletteBox::search() {
  Extents extents;
  if (desk_.session->opened()) {
    const ModelSpec& spec = desk_.session->opened()->spec;
    for (const Stop& stop : desk_.session->stops()) extents.steps.push_back(stop.step);
    extents.layers = spec.layers;
    extents.heads = spec.heads;
    extents.experts = spec.experts;
    extents.pieces = desk_.session->typed().pieces;
  }
  const std::string text = typed();
  const bool wants_places = text.empty() || (text.front() != '>' && text.front() != '=');
  places_ = wants_places ? places_named(text, extents) : std::vector<GoTo>{};
  found_ = ranked(text, entries_, recent_, most_found);
  model_->clear();
  const auto add = [this](const std::string& words, const std::string& kind, const std::string& key,
                          const std::string& off) {
    auto* item = new QStandardItem(qtext(words));
    item->setData(qtext(kind), kind_role);
    item->setData(qtext(key), key_role);
    item->setData(qtext(off), off_role);
    item->setData(qtext(kind + ", " + words + (off.empty() ? "" : ", " + off)), Qt::AccessibleTextRole);
    model_->appendRow(item);
  };
  for (const GoTo& place : places_) add(place.words, "go to", "", "");
  for (const size_t i : found_)
    add(entries_[i].words, entries_[i].kind, entries_[i].key, entries_[i].why_off);
  if (model_->rowCount() > 0) list_->setCurrentIndex(model_->index(0, 0));
  hint_->setText(model_->rowCount() > 0
                     ? tr("Enter does it · Ctrl+Enter in a new view · Tab completes · Esc closes")
                     : tr("Nothing fits. Fewer letters find more."));
  lay_out();
}

void PaletteBox::lay_out() {
  const int rows = std::clamp(model_->rowCount(), 1, most_rows);
  const int width = std::min(widest, parentWidget()->width() - 40);
  const int height =
      std::min(field_->sizeHint().height() + hint_->sizeHint().height() + rows * row_height + 34,
               parentWidget()->height() - top - 20);
  setGeometry((parentWidget()->width() - width) / 2, top, width, height);
}

void PaletteBox::act(bool in_new_view) {
  const auto row = static_cast<size_t>(std::max(0, list_->currentIndex().row()));
  if (row < places_.size()) {
    const GoTo place = places_[row];
    hide();
    emit place_chosen(place);
    return;
  }
  if (row - places_.size() >= found_.size()) return;
  const PaletteEntry entry = entries_[found_[row - places_.size()]];
  if (!entry.why_off.empty()) return;  // its line says why
  hide();
  emit chosen(entry.id, in_new_view);
}

bool PaletteBox::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::FocusOut && isVisible() &&
      static_cast<QFocusEvent*>(event)->reason() != Qt::ActiveWindowFocusReason)
    hide();
  // While the palette is open keys are its own, before they become the window's actions.
  if (event->type() == QEvent::ShortcutOverride) {
    event->accept();
    return true;
  }
  if (event->type() != QEvent::KeyPress) return QFrame::eventFilter(watched, event);
  const auto* key = static_cast<QKeyEvent*>(event);
  const int row = list_->currentIndex().row(), rows = model_->rowCount();
  const auto go = [&](int to) {
    if (rows > 0) list_->setCurrentIndex(model_->index(std::clamp(to, 0, rows - 1), 0));
    return true;
  };
  switch (key->key()) {
    case Qt::Key_Down:
      return go(row + 1);
    case Qt::Key_Up:
      return go(row - 1);
    case Qt::Key_PageDown:
      return go(row + most_rows);
    case Qt::Key_PageUp:
      return go(row - most_rows);
    case Qt::Key_Escape:
      hide();
      parentWidget()->setFocus();
      return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      act(key->modifiers().testFlag(Qt::ControlModifier));
      return true;
    case Qt::Key_Tab:
      if (rows > 0)
        field_->setText(list_->currentIndex().data().toString().section(QStringLiteral(" · "), 0, 0));
      return true;
    default:
      return QFrame::eventFilter(watched, event);
  }
}

void PaletteBox::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
  painter.setPen(qcolor(desk_.theme->strong));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

}  // namespace varve
