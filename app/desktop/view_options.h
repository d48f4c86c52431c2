// The controls above a view: its options, the arrays and axes it may draw, and a slider for each axis that is
// neither drawn nor summed up.
#pragma once

#include <QLabel>
#include <QWidget>
#include <map>
#include <string>
#include <vector>

#include "app/desktop/desk.h"
#include "app/session/view_content.h"

namespace varve {

class WrapLayout;

class ViewOptions : public QWidget {
 public:
  ViewOptions(Desk& desk, int64_t id, QWidget* parent);
  void refresh(const ViewContent& content);
  bool is_bare() const;            // nothing to choose
  int height_in(int width) const;  // what it takes there

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void keep_room();  // at most two fifths of the view
  void build(const ViewContent& content, const std::vector<FreeAxis>& free);
  void add_choices(const SettingInfo& info, const std::vector<std::string>& choices);
  void add_slider(const FreeAxis& axis);
  void change(const std::string& name, const std::string& value);

  Desk& desk_;
  int64_t id_;
  ViewContent content_;
  WrapLayout* row_;
  std::map<std::string, QLabel*> place_names_;  // beside the sliders, by axis
  std::vector<std::string> built_for_;          // the view, and every choice that it has
};

}  // namespace varve
