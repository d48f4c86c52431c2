// Series and results: what is open, what its store holds run by run, and where each number comes from.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QTextBrowser>
#include <QWidget>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/desktop/cards.h"
#include "app/desktop/desk.h"
#include "app/desktop/row_list.h"
#include "app/session/notes.h"
#include "app/session/results.h"
#include "app/session/why.h"

class QScrollArea;

namespace varve {

class ResultsDock : public QWidget {
  Q_OBJECT

 public:
  explicit ResultsDock(Desk& desk, QWidget* parent = nullptr);
  ~ResultsDock() override;
  void refresh();
  void look_again();
  void show_notes(const std::vector<Note>& notes);  // listed at the bottom

  const std::vector<StoredRun>& results() const { return results_; }
  const RowList& list() const { return *list_; }
  std::string details() const;  // what stands below the list; "" where nothing is chosen
  std::string removed() const { return removal_ ? removal_->words() : ""; }
  QRect place_of(const std::string& button) const;  // "show", "why", "remove", "undo"; on the screen

 signals:
  void close_asked();
  void shown();  // a stored result is what the views draw now
  void run_asked(const std::string& analysis);
  void note_asked(int index);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  std::vector<ListRow> rows_now() const;
  const StoredRun* chosen() const;
  void choose(const std::string& id);
  void activate(const std::string& id);
  void show_details();
  void explain();
  void show_as();
  void offer_views(QMenu& menu, const Dataset& shown, const StoredRun& run, bool over_series);
  void remove();
  void undo_removal();
  void guarded(const char* asked, const std::function<void()>& what);

  Desk& desk_;
  std::shared_ptr<ResultShelf> shelf_ = std::make_shared<ResultShelf>();
  std::shared_ptr<const Opened> seen_;
  int64_t looked_at_ = -1;  // cells that had arrived when the store was last looked at
  bool looking_ = false;
  std::vector<StoredRun> results_;
  std::vector<Note> notes_;
  std::optional<WhyReport> why_;
  std::string why_of_;
  std::unique_ptr<Removal> removal_;

  RowList* list_;
  QScrollArea* scroll_;
  bool pressed_list_ = false;  // by the last press in this dock
  QWidget *details_, *removed_bar_;
  QLabel *heading_, *facts_, *removed_words_;
  QTextBrowser* why_text_;
  QPushButton *show_, *show_as_, *why_button_, *remove_, *undo_;
  ErrorCard* card_;
};

}  // namespace varve
