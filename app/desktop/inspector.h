// The inspector dock: the most specific thing that is selected, and its numbers.
#pragma once

#include <QScrollArea>
#include <QWidget>

#include "app/desktop/desk.h"
#include "app/desktop/inspector_drawing.h"

namespace varve {

class Inspector : public QScrollArea {
  Q_OBJECT

 public:
  explicit Inspector(Desk& desk, QWidget* parent = nullptr);
  // What the active view shows, and what stands at its selected mark; may be null and empty.
  void refresh(const ViewContent* active, const std::string& tip);
  const InspectorContent& content() const { return content_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  class Page;
  Desk& desk_;
  InspectorContent content_;
  Page* page_;
};

}  // namespace varve
