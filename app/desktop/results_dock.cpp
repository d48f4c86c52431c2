// The results browser.
#include "app/desktop/results_dock.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/result_rows.h"

namespace varve {

ResultsDock::ResultsDock(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setObjectName("panel");
  setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* header = new DockHeader(tr("Series and results"), this);
  column->addWidget(header);
  auto* scroll = scroll_ = new QScrollArea(this);
  scroll->setWidgetResizable(true);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  auto* inside = new QWidget(scroll);
  inside->setObjectName("panel");
  inside->setAttribute(Qt::WA_StyledBackground);
  auto* rows = new QVBoxLayout(inside);
  rows->setContentsMargins(0, 0, 0, 8);
  rows->setSpacing(0);
  rows->addWidget(list_ = new RowList(desk, inside));
  list_->setAccessibleName(tr("Series and results"));
  rows->addStretch();
  scroll->setWidget(inside);
  column->addWidget(scroll, 1);

  removed_bar_ = new QWidget(this);
  auto* removed = new QHBoxLayout(removed_bar_);
  removed->setContentsMargins(12, 4, 12, 4);
  removed->addWidget(removed_words_ = named_label("second", {}, removed_bar_), 1);
  removed_words_->setMinimumWidth(40);
  removed_words_->setWordWrap(true);  // the dock is narrow, and "removed" must be read
  removed->addWidget(undo_ = new QPushButton(tr("Undo"), removed_bar_));
  removed_bar_->hide();
  column->addWidget(removed_bar_);
  column->addWidget(card_ = new ErrorCard(this));

  details_ = new QWidget(this);
  auto* below = new QVBoxLayout(details_);
  below->setContentsMargins(12, 8, 12, 8);
  below->setSpacing(4);
  auto* line = new QWidget(details_);
  line->setObjectName("hairline");
  line->setAttribute(Qt::WA_StyledBackground);
  line->setFixedHeight(1);
  below->addWidget(line);
  below->addWidget(heading_ = named_label("title", {}, details_));
  heading_->setMinimumWidth(40);
  below->addWidget(facts_ = named_label("second", {}, details_));
  facts_->setWordWrap(true);
  facts_->setTextFormat(Qt::RichText);
  facts_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  below->addWidget(why_text_ = new QTextBrowser(details_));
  why_text_->setMinimumHeight(120);
  why_text_->setMaximumHeight(190);
  why_text_->hide();
  auto* first = new QHBoxLayout;
  first->setSpacing(6);
  first->addWidget(show_ = new QPushButton(tr("Show"), details_));
  first->addWidget(show_as_ = new QPushButton(tr("Show as …"), details_));
  below->addLayout(first);
  auto* second = new QHBoxLayout;
  second->setSpacing(6);
  second->addWidget(why_button_ = new QPushButton(tr("Why"), details_));
  second->addWidget(remove_ = new QPushButton(tr("Remove"), details_));
  below->addLayout(second);
  why_button_->setToolTip(tr("What its key is made of, and in which parts its siblings differ"));
  remove_->setToolTip(tr("Takes these results out of the store; Undo brings them back"));
  details_->hide();
  for (QWidget* part : details_->findChildren<QWidget*>()) part->installEventFilter(this);
  details_->installEventFilter(this);
  column->addWidget(details_);

  connect(header, &DockHeader::close_asked, this, &ResultsDock::close_asked);
  connect(list_, &RowList::chosen, this, [this](const std::string& id) { choose(id); });
  connect(list_, &RowList::activated, this, [this](const std::string& id) { activate(id); });
  connect(show_, &QPushButton::clicked, this, [this] { activate(list_->current()); });
  connect(show_as_, &QPushButton::clicked, this, [this] { show_as(); });
  connect(why_button_, &QPushButton::clicked, this, [this] { explain(); });
  connect(remove_, &QPushButton::clicked, this, [this] { remove(); });
  connect(undo_, &QPushButton::clicked, this, [this] { undo_removal(); });
}

// The first click of a double click on a row may open the details right where the second one falls.
bool ResultsDock::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::MouseButtonPress) pressed_list_ = false;
  if (event->type() == QEvent::MouseButtonDblClick && pressed_list_) {
    activate(std::string(list_->current()));
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

ResultsDock::~ResultsDock() {
  if (removal_) removal_->forget();
}

void ResultsDock::guarded(const char* asked, const std::function<void()>& what) {
  try {
    what();
  } catch (const Error& error) {
    card_->show_lines(error_lines(asked, error.what()), false);
  }
}

void ResultsDock::look_again() {
  if (!desk_.session->opened() || looking_) return;
  looking_ = true;
  const std::shared_ptr<const Opened> opened = desk_.session->opened();
  desk_.session->errands().ask<std::vector<StoredRun>>(
      "results",
      [opened, shelf = shelf_](Task& task) {
        return shelf->look(*opened->store, opened->tokenizer.get(), task);
      },
      [this, opened](std::vector<StoredRun> found) {
        looking_ = false;
        if (opened != desk_.session->opened()) return;
        results_ = std::move(found);
        desk_.session->know_results(results_);
        show_details();
      },
      [this](const std::string& problem) {
        looking_ = false;
        card_->show_lines(error_lines("Look at the results of the store", problem), false);
      });
}

void ResultsDock::show_notes(const std::vector<Note>& notes) { notes_ = notes; }

void ResultsDock::refresh() {
  const std::shared_ptr<const Opened>& opened = desk_.session->opened();
  if (opened != seen_) {
    if (removal_) removal_->forget();
    removal_.reset();
    removed_bar_->hide();
    card_->hide();
    seen_ = opened;
    results_.clear();
    shelf_ = std::make_shared<ResultShelf>();
    looking_ = false;
    looked_at_ = -1;
    if (opened) forget_old_removals(*opened->store);
  }
  if (opened) {
    // Looked at anew when a run is through, not for every cell: the rows of what runs count for themselves.
    int64_t now = 0;
    for (const auto& [id, run] : desk_.session->runs())
      now += run.running() ? 0 : static_cast<int64_t>(run.cells.size()) + (run.complete ? 1 : 0);
    if (now != looked_at_ && !looking_) {
      looked_at_ = now;
      look_again();
    }
  }
  list_->set_rows(rows_now());
  show_details();
}

std::vector<ListRow> ResultsDock::rows_now() const {
  std::vector<ListRow> rows;
  if (!desk_.session->opened()) return rows;
  add_series_rows(rows, *desk_.session);
  add_result_rows(rows, *desk_.session, results_);
  add_probe_rows(rows, results_);
  add_note_rows(rows, notes_);
  return rows;
}

const StoredRun* ResultsDock::chosen() const {
  for (const StoredRun& run : results_)
    if (result_id(run) == list_->current()) return &run;
  return nullptr;
}

void ResultsDock::choose(const std::string& id) {
  why_.reset();
  why_text_->hide();
  if (id.starts_with("branch ")) {
    desk_.session->set_branch(id.substr(7));
    desk_.acted();
  } else if (id.starts_with("note ")) {
    emit note_asked(std::stoi(id.substr(5)));
  } else if (id.starts_with("prompt ")) {
    desk_.session->type(id.substr(7));
    desk_.acted();
  }
  show_details();
  pressed_list_ = true;
  // The details take room from the list: what was chosen stays in sight.
  QTimer::singleShot(0, this, [this] {
    for (const auto& [row, box] : list_->places())
      if (row == list_->current())
        scroll_->ensureVisible(box.center().x(), list_->y() + box.center().y(), 0, box.height());
  });
}

void ResultsDock::activate(const std::string& id) {
  list_->set_current(id);
  const StoredRun* run = chosen();
  if (!run) return;
  if (!run->is_current) {
    emit run_asked(run->analysis);
    return;
  }
  guarded("Show a stored result", [&] {
    desk_.session->show_stored(*run);
    emit shown();
  });
  desk_.acted();
}

void ResultsDock::show_details() {
  const StoredRun* run = chosen();
  details_->setVisible(run != nullptr);
  removed_bar_->setVisible(removal_ != nullptr);
  if (removal_) removed_words_->setText(qtext(removal_->words()) + tr(" removed"));
  if (!run) return;
  heading_->setText(qtext(run->analysis + " / " + first_key(*run).substr(0, 8)));
  facts_->setText(qtext(facts_html(*run, *desk_.theme)));
  show_->setText(run->is_current ? tr("Show") : tr("Run again …"));
  show_->setToolTip(run->is_current
                        ? tr("Draw it as it lies in the store; nothing is computed (Enter)")
                        : tr("Written by another version of the analysis: its numbers may differ"));
  show_as_->setEnabled(run->is_current);
  const bool busy =
      std::any_of(desk_.session->runs().begin(), desk_.session->runs().end(), [&](const auto& entry) {
        return entry.second.running() && entry.second.request.analysis == run->analysis;
      });
  remove_->setEnabled(!busy);
}

std::string ResultsDock::details() const {
  if (!chosen()) return "";
  std::string words = heading_->text().toStdString() + "\n" + facts_->text().toStdString();
  if (!why_text_->isHidden()) words += "\n" + why_text_->toPlainText().toStdString();
  return words;
}

void ResultsDock::explain() {
  const StoredRun* run = chosen();
  if (!run) return;
  if (!why_text_->isHidden()) return why_text_->hide();
  desk_.session->errands().ask<WhyReport>(
      "why",
      [store = desk_.session->opened()->store, analysis = run->analysis, key = first_key(*run)](Task&) {
        for (const ResultInfo& info : store->results())
          if (info.key == key && (info.analysis == analysis || info.analysis == analysis + ".series"))
            return why_of(*store, info);
        fail("The store no longer holds {} {}. Look at the results again.", analysis, key.substr(0, 8));
      },
      [this, analysis = run->analysis](const WhyReport& report) {
        why_text_->setHtml(qtext(why_html(report, analysis, *desk_.theme)));
        why_text_->show();
      },
      [this](const std::string& problem) { card_->show_lines(error_lines("Why this key", problem), false); });
}

void ResultsDock::show_as() {
  const StoredRun* run = chosen();
  if (!run) return;
  // Which views can show it only its data says; reading it may take a while.
  struct Found {
    std::optional<Dataset> cell, series;
  };
  desk_.session->errands().ask<std::shared_ptr<const Found>>(
      "show as",
      [store = desk_.session->opened()->store, copy = *run](Task&) {
        auto found = std::make_shared<Found>();
        if (!copy.cells.empty()) found->cell = store->result(copy.analysis, first_key(copy));
        if (!copy.series_key.empty())
          found->series = store->result(copy.analysis + ".series", copy.series_key);
        if (!found->cell && !found->series)
          fail("The store no longer holds {} {}. Look at the results again.", copy.analysis,
               first_key(copy).substr(0, 8));
        return std::shared_ptr<const Found>(std::move(found));
      },
      [this, copy = *run](const std::shared_ptr<const Found>& found) {
        // It must not be waited for here: what comes in meanwhile may open or close the series whose answer
        // this is.
        auto* const menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        if (found->series) {
          if (found->cell) menu->addAction(tr("OVER THE SERIES"))->setEnabled(false);
          offer_views(*menu, *found->series, copy, true);
        }
        if (found->cell) {
          if (found->series) {
            menu->addSeparator();
            menu->addAction(tr("ONE STEP"))->setEnabled(false);
          }
          offer_views(*menu, *found->cell, copy, false);
        }
        menu->popup(show_as_->mapToGlobal(QPoint(0, show_as_->height())));
      },
      [this](const std::string& problem) {
        card_->show_lines(error_lines("Show a stored result", problem), false);
      });
}

void ResultsDock::offer_views(QMenu& menu, const Dataset& shown, const StoredRun& run, bool over_series) {
  std::vector<std::pair<double, const View*>> fitting;
  for (const View& view : views().items())
    if (const double fit = view.fit(shown); fit > 0) fitting.emplace_back(fit, &view);
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [fit, view] : fitting)
    menu.addAction(qtext(view->name + ": " + view->summary), this,
                   [this, run, over_series, name = view->name] {
                     guarded("Show a stored result", [&] {
                       OpenView next;
                       next.view = name;
                       if (over_series) {
                         next.result = {run.analysis, ResultRef::Which::stored, run.series_key};
                       } else {
                         desk_.session->show_cells(run);
                         next.result = {run.analysis, ResultRef::Which::cell, {}};
                       }
                       desk_.session->open_view(std::move(next));
                     });
                     desk_.acted();
                   });
  if (fitting.empty()) menu.addAction(tr("No view can show it; export it as numbers"))->setEnabled(false);
}

void ResultsDock::remove() {
  const StoredRun* run = chosen();
  if (!run) return;
  guarded("Remove results", [&] {
    auto next = std::make_unique<Removal>(*desk_.session->opened()->store, *run);
    if (removal_) removal_->forget();
    removal_ = std::move(next);
  });
  look_again();
  desk_.acted();
}

void ResultsDock::undo_removal() {
  if (!removal_) return;
  guarded("Bring back removed results", [&] {
    removal_->undo();
    removal_.reset();
  });
  look_again();
  desk_.acted();
}

QRect ResultsDock::place_of(const std::string& button) const {
  const QPushButton* found = button == "show"     ? show_
                             : button == "why"    ? why_button_
                             : button == "remove" ? remove_
                             : button == "undo"   ? undo_
                                                  : nullptr;
  if (!found || !found->isVisible()) return {};
  return {found->mapToGlobal(QPoint(0, 0)), found->size()};
}

}  // namespace varve
