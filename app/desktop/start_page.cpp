// The start page.
#include "app/desktop/start_page.h"

#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QMimeData>
#include <QPainter>
#include <QScrollArea>
#include <algorithm>
#include <ctime>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/start_parts.h"
#include "app/desktop/style.h"

namespace varve {

namespace {

constexpr int left_width = 464, right_width = 976;  // in a window of the usual size
constexpr int least_left_width = 360, wide_margin = 56, narrow_margin = 28, narrow_window = 1200;
constexpr size_t most_hub_rows = 5;

QPushButton* large_button(const char* name, const QString& text, QWidget* parent) {
  auto* button = new QPushButton(text, parent);
  button->setObjectName(name);
  button->setProperty("large", true);
  return button;
}

// A title, a word at the right, and a hairline below.
QLabel* heading(QVBoxLayout* column, const QString& text, const QString& right, QWidget* parent) {
  auto* row = new QHBoxLayout;
  row->addWidget(named_label("title", text, parent));
  row->addStretch();
  QLabel* second = named_label("third", right, parent);
  row->addWidget(second);
  column->addLayout(row);
  auto* line = new QWidget(parent);
  line->setObjectName("hairline");
  line->setAttribute(Qt::WA_StyledBackground);
  line->setFixedHeight(1);
  column->addWidget(line);
  return second;
}

// What lies on disks, some of them slow or gone: looked at beside the window.
struct DiskSight {
  std::set<std::string> gone;
  std::vector<HubModel> hub;
};

}  // namespace

StartPage::StartPage(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setAcceptDrops(true);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  build_left();
  row->addWidget(left_, left_width);
  auto* scroll = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setFocusPolicy(Qt::NoFocus);
  build_right();
  scroll->setWidget(right_);
  row->addWidget(scroll, right_width);
}

void StartPage::build_left() {
  left_ = new QWidget(this);
  left_->setMaximumWidth(left_width);
  left_->setMinimumWidth(least_left_width);
  auto* left = new QVBoxLayout(left_);
  left->setContentsMargins(56, 26, 56, 16);
  left->setSpacing(6);
  auto* product = named_label("product", QStringLiteral("Varve"), left_);
  product->setContentsMargins(60, 0, 0, 0);  // the logo is painted beside it
  left->addWidget(product);
  left->addWidget(named_label(
      "motto", tr("Training leaves layers, one per checkpoint.\nOpen a series and read them."), left_));
  left->addSpacing(10);
  left->addStretch(2);
  auto* demo = large_button("primary", tr("Open the demo series"), left_);
  left->addWidget(demo);
  auto* two = new QHBoxLayout;
  two->setSpacing(10);
  auto* folder = large_button("large", tr("Open folder …"), left_);
  auto* store = large_button("large", tr("Open store …"), left_);
  two->addWidget(folder);
  two->addWidget(store);
  left->addLayout(two);
  left->addWidget(named_label("third", tr("16 checkpoints of a small model; needs nothing else."), left_));
  left->addSpacing(4);
  left->addStretch(1);
  drop_ = named_label("drop", tr("Drop a model folder, a folder of steps,\na store or a series.toml here"),
                      left_);
  drop_->setAlignment(Qt::AlignCenter);
  drop_->setFixedHeight(72);
  left->addWidget(drop_);
  left->addWidget(card_ = new ErrorCard(left_));
  left->addSpacing(6);
  left->addStretch(2);
  heading(left, tr("In the Hugging Face cache"), tr("read in place, no copy"), left_);
  left->addWidget(hub_list_ = new RowList(desk_, left_));
  hub_list_->setAccessibleName(tr("In the Hugging Face cache"));
  left->addWidget(hub_nothing_ = named_label("second", tr("looking …"), left_));
  hub_nothing_->setWordWrap(true);
  left->addSpacing(6);
  left->addStretch(2);
  build_tour(left);
  left->addStretch(8);
  buttons_ = {{"demo", demo}, {"folder", folder}, {"store", store}, {"tour", tour_button_}};

  connect(demo, &QPushButton::clicked, this, &StartPage::demo_asked);
  connect(folder, &QPushButton::clicked, this, &StartPage::folder_asked);
  connect(store, &QPushButton::clicked, this, &StartPage::store_asked);
  const auto open_hub = [this](const std::string& id) {
    for (const HubModel& model : hub_)
      if (model.path.string() == id && model.problem.empty()) emit path_asked(qtext(id));
  };
  connect(hub_list_, &RowList::activated, this, open_hub);
  connect(hub_list_, &RowList::chosen, this, [this](const std::string& id) {
    for (const HubModel& model : hub_)
      if (model.path.string() == id) hub_nothing_->setText(qtext(model.detail));
    hub_nothing_->setVisible(!hub_nothing_->text().isEmpty());
  });
}

void StartPage::build_tour(QVBoxLayout* column) {
  heading(column, tr("First time here"), tr("six steps, about five minutes"), left_);
  column->addWidget(tour_list_ = new RowList(desk_, left_));
  tour_list_->setFocusPolicy(Qt::NoFocus);
  column->addSpacing(4);
  column->addWidget(tour_button_ = large_button("large", tr("Begin the tour"), left_));
  connect(tour_button_, &QPushButton::clicked, this, &StartPage::tour_asked);
}

void StartPage::build_right() {
  right_ = new QWidget(this);
  right_->setObjectName("canvas");
  right_->setAttribute(Qt::WA_StyledBackground);
  auto* right = new QVBoxLayout(right_);
  right->setContentsMargins(48, 36, 48, 24);
  right->setSpacing(6);
  heading(right, tr("Recent and pinned"), tr("darker = weights moved more"), right_);
  recent_rows_ = new QVBoxLayout;
  recent_rows_->setSpacing(0);
  right->addLayout(recent_rows_);
  right->addWidget(nothing_ =
                       named_label("second",
                                   tr("Nothing was opened yet. Each checkpoint of a training run is one thin "
                                      "layer;\nthe demo has sixteen of them."),
                                   right_));
  right->addSpacing(18);
  questions_on_ = heading(right, tr("Start from a question"), {}, right_);
  cards_ = new QGridLayout;
  cards_->setHorizontalSpacing(16);
  cards_->setVerticalSpacing(14);
  for (int i = 0; i < 6; ++i) {
    auto* card = new QuestionCard(desk_, static_cast<StartQuestion>(i), right_);
    cards_->addWidget(card, i / 3, i % 3);
    buttons_["question " + std::to_string(i + 1)] = card;
    connect(card, &QPushButton::clicked, this, [this, i] { emit question_asked(i + 1, qtext(chosen_)); });
  }
  right->addSpacing(4);
  right->addLayout(cards_);
  right->addStretch();
}

// Words are worth more than margins, and than a third card beside two.
void StartPage::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  const bool is_narrow = width() < narrow_window;
  if (is_narrow == is_narrow_) return;
  is_narrow_ = is_narrow;
  const int margin = is_narrow ? narrow_margin : wide_margin, columns = is_narrow ? 2 : 3;
  left_->layout()->setContentsMargins(margin, 26, margin, 16);
  right_->layout()->setContentsMargins(is_narrow ? narrow_margin : 48, 36, is_narrow ? narrow_margin : 48,
                                       24);
  for (int i = 0; i < 6; ++i) {
    QWidget* card = buttons_["question " + std::to_string(i + 1)];
    cards_->removeWidget(card);
    cards_->addWidget(card, i / columns, i % columns);
  }
}

void StartPage::remember_in(const std::filesystem::path& file) {
  memory_ = file;
  try {
    recent_ = read_recent_series(file);
  } catch (const Error& error) {
    card_->show_lines(error_lines(tr("Read the list of recent series").toStdString(), error.what()), false);
  }
}

void StartPage::keep() {
  if (memory_.empty()) return;
  // A list of what was open is no reason to keep somebody waiting or from working.
  desk_.session->errands().ask<bool>(
      "keep the list of recent series",
      [memory = memory_, recent = recent_](Task&) {
        write_recent_series(memory, recent);
        return true;
      },
      [](bool) {},
      [this](const std::string& words) {
        card_->show_lines(error_lines(tr("Keep the list of recent series").toStdString(), words), false);
      });
}

void StartPage::note_opened(const Opened& opened, int64_t results) {
  RecentSeries face = face_of(opened);
  face.opened = static_cast<int64_t>(std::time(nullptr));
  face.results = results;
  remember_opened(recent_, std::move(face));
  has_looked_ = false;
  keep();
  show_recent();
}

void StartPage::look_at_disk() {
  has_looked_ = true;
  std::vector<std::string> paths;
  for (const RecentSeries& series : recent_) paths.push_back(series.path);
  desk_.session->errands().ask<DiskSight>(
      "start page",
      [paths](Task& task) {
        DiskSight sight;
        for (const std::string& path : paths) {
          std::error_code problem;
          if (!std::filesystem::exists(path, problem)) sight.gone.insert(path);
        }
        sight.hub = look_into_hub(hub_folders(), task);
        return sight;
      },
      [this](DiskSight sight) {
        gone_ = std::move(sight.gone);
        hub_ = std::move(sight.hub);
        show_recent();
        show_hub();
      },
      [this](const std::string& problem) { hub_nothing_->setText(qtext(problem)); });
}

void StartPage::show_recent() {
  while (QLayoutItem* item = recent_rows_->takeAt(0)) {
    if (item->widget()) item->widget()->deleteLater();
    delete item;
  }
  std::erase_if(buttons_, [](const auto& entry) { return entry.first.starts_with("recent "); });
  chosen_.clear();
  for (const RecentSeries& series : recent_) {
    const bool gone = gone_.contains(series.path);
    if (chosen_.empty() && !gone) chosen_ = series.path;
    auto* row = new RecentRow(desk_, series, gone, right_);
    const std::string path = series.path;
    connect(row, &QPushButton::clicked, this, [this, path, gone] {
      if (gone)
        emit find_asked(qtext(path));
      else
        emit path_asked(qtext(path));
    });
    connect(row, &RecentRow::pin_asked, this, [this, path](bool pinned) {
      set_pinned(recent_, path, pinned);
      keep();
      show_recent();
      desk_.acted();
    });
    recent_rows_->addWidget(row);
    buttons_["recent " + path] = row;
  }
  nothing_->setVisible(recent_.empty());
  const auto on =
      std::find_if(recent_.begin(), recent_.end(), [this](const auto& one) { return one.path == chosen_; });
  questions_on_->setText(on == recent_.end() ? tr("opens the demo with the right views")
                                             : tr("opens on %1 with the right views").arg(qtext(on->name)));
}

void StartPage::show_hub() {
  std::vector<ListRow> rows;
  for (const HubModel& model : hub_) {
    if (rows.size() == most_hub_rows) break;
    ListRow row;
    row.id = model.path.string();
    row.text = model.name;
    row.mark = Mark::folder;
    row.tone = model.problem.empty() ? ListRow::Tone::plain : ListRow::Tone::quiet;
    row.right = !model.problem.empty() ? model.problem
                : model.revisions == 1 ? "1 revision"
                                       : show_count(model.revisions) + " revisions";
    row.right_tone = model.problem.empty() ? ListRow::Tone::quiet : ListRow::Tone::warn;
    row.tip = model.problem.empty() ? model.path.string() + "\nEnter or double click opens it" : model.detail;
    rows.push_back(std::move(row));
  }
  hub_list_->set_rows(rows);
  hub_list_->setVisible(!rows.empty());
  QString words;
  if (hub_.empty()) words = tr("No models there. Varve never downloads any.");
  if (hub_.size() > most_hub_rows)
    words = tr("and %1 more; open them with Open folder").arg(hub_.size() - most_hub_rows);
  hub_nothing_->setText(words);
  hub_nothing_->setVisible(!words.isEmpty());
}

void StartPage::show_tour(const Tour& tour) {
  if (tour.done() == tour_done_) return;
  tour_done_ = tour.done();
  std::vector<ListRow> rows;
  for (int step = 0; step < Tour::steps; ++step) {
    ListRow row;
    row.text = std::to_string(step + 1) + "  " + tour_title(step);
    row.mark = step < tour.done() ? Mark::check : step == tour.done() ? Mark::running : Mark::ring;
    row.bold = step == tour.done();
    row.tone = step < tour.done() ? ListRow::Tone::quiet : ListRow::Tone::plain;
    rows.push_back(std::move(row));
  }
  tour_list_->set_rows(rows);
  tour_button_->setText(tour.done() == 0  ? tr("Begin the tour")
                        : tour.finished() ? tr("Take the tour again")
                                          : tr("Continue tour at step %1").arg(tour.done() + 1));
}

void StartPage::refresh(const std::vector<std::string>& recent) {
  if (recent != listed_) {
    listed_ = recent;
    // From before faces were kept: a name and no picture.
    for (auto path = recent.rbegin(); path != recent.rend(); ++path)
      if (std::none_of(recent_.begin(), recent_.end(), [&](const auto& one) { return one.path == *path; }))
        remember_opened(recent_, {.path = *path, .name = std::filesystem::path(*path).stem().string()});
    show_recent();
  }
  if (!has_looked_ && isVisible()) look_at_disk();
  const std::string& error = desk_.session->open_error();
  if (!error.empty() && card_->lines().found + " " + card_->lines().try_this != error && card_->isHidden())
    card_->show_lines(error_lines(tr("Open a series").toStdString(), error), false);
  if (error.empty() && !card_->isHidden() && card_->lines().asked == tr("Open a series").toStdString())
    card_->hide();
  if (tour_done_ < 0) show_tour(Tour());
  update();
}

std::map<std::string, QRect> StartPage::places() const {
  std::map<std::string, QRect> places;
  for (const auto& [name, button] : buttons_)
    if (button->isVisible()) places[name] = QRect(button->mapToGlobal(QPoint(0, 0)), button->size());
  for (const auto& [id, box] : hub_list_->places())
    places["hub " + id] = QRect(hub_list_->mapToGlobal(box.topLeft()), box.size());
  return places;
}

void StartPage::dragEnterEvent(QDragEnterEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (std::none_of(urls.begin(), urls.end(), [](const QUrl& url) { return url.isLocalFile(); })) return;
  restyle(drop_, "over", true);
  event->acceptProposedAction();
}

void StartPage::dragLeaveEvent(QDragLeaveEvent*) { restyle(drop_, "over", false); }

void StartPage::dropEvent(QDropEvent* event) {
  restyle(drop_, "over", false);
  for (const QUrl& url : event->mimeData()->urls())
    if (url.isLocalFile()) {
      event->acceptProposedAction();
      emit path_asked(url.toLocalFile());
      return;
    }
}

void StartPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  show_recent();
  look_at_disk();
}

void StartPage::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
  painter.fillRect(QRect(left_->width(), 0, 1, height()), qcolor(desk_.theme->hair));
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  draw_logo(canvas, {left_->layout()->contentsMargins().left() * 1.0, 28, 44, 34}, *desk_.theme);
}

}  // namespace varve
