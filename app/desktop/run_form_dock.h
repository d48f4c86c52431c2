// The form that starts a run: fields made from what the analysis declares, what each needs, and the cost
// before anything begins.
#pragma once

#include <QComboBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QToolButton>
#include <QWidget>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/desktop/cards.h"
#include "app/desktop/desk.h"
#include "app/session/results.h"
#include "app/session/run_form.h"

namespace varve {

class RunFormDock : public QWidget {
  Q_OBJECT

 public:
  // `memory` is the file in which recent runs are kept.
  RunFormDock(Desk& desk, std::filesystem::path memory, QWidget* parent = nullptr);
  void refresh();
  void open_with(const std::string& analysis);  // its settings as they were last, else the defaults
  void open_with(const RunForm& form);
  void run();        // as the button does; nothing where it is off
  void run_again();  // the last one, as it was
  void take_focus();
  // What the store holds, for inputs that are results.
  std::function<std::vector<StoredRun>()> results;

  const RunForm& form() const { return form_; }
  const std::vector<RunForm>& recent() const { return recent_; }
  std::string off() const { return off_; }
  std::vector<std::string> cost() const { return cost_lines_; }
  std::map<std::string, std::string> problems() const;
  QRect place_of(const std::string& field) const;  // on the screen; "run" is the button

 signals:
  void close_asked();

 private:
  void build_fields();
  void build_fixed();
  QLabel* add_row(const std::string& field, const QString& label, QWidget* control, const std::string& help);
  void changed();
  void read();
  void ask_cost();
  void show_problems();
  void show_prompt_menu();
  void show_recent_menu();
  void build_inputs(const Analysis& analysis);
  void show_input_menu(const InputInfo& input, QLineEdit* into);
  void set_input(const std::string& name, const std::string& text);
  void tell_inputs();
  void keep(const RunForm& form);
  RunPlace place() const;

  Desk& desk_;
  std::filesystem::path memory_;
  std::vector<RunForm> recent_;
  RunForm form_;
  FormReading reading_;
  std::string off_, help_of_;
  std::vector<std::string> cost_lines_;
  bool prompt_is_shared_ = true;  // follows the field above the views until it is written in
  std::string asked_for_;         // what the cost was last asked for
  uint64_t seen_ = 0;
  std::string built_for_;

  DockHeader* header_;
  QComboBox *analysis_, *steps_, *compute_;
  QLineEdit *prompt_, *list_, *limit_;
  QToolButton *prompt_menu_, *recent_menu_;
  QWidget *fields_, *fixed_;
  QFormLayout *field_rows_, *fixed_rows_;
  QLabel *help_, *cost_, *off_label_;
  QPushButton *run_, *copy_;
  ErrorCard* card_;
  std::map<std::string, QWidget*> controls_;
  std::map<std::string, QLineEdit*> inputs_;
  std::map<std::string, QLabel*> told_;  // which results the inputs name
  std::map<std::string, QLabel*> complaints_;
};

}  // namespace varve
