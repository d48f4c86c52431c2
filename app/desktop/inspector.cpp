// The inspector as a scrolled page.
#include "app/desktop/inspector.h"

#include <QPainter>
#include <QPixmap>
#include <QScrollBar>

#include "app/desktop/painter_canvas.h"

namespace varve {

class Inspector::Page : public QWidget {
 public:
  Page(Desk& desk, const InspectorContent& content, QWidget* parent)
      : QWidget(parent), desk_(desk), content_(content) {
    setAccessibleName(tr("Inspector"));
  }

  // Height follows from drawing; drawing onto a single pixel measures it.
  void fit(int width) {
    QPixmap pixel(1, 1);
    QPainter painter(&pixel);
    PainterCanvas canvas(painter, {0, 0, width * 1.0, 1}, 1);
    setFixedSize(width, static_cast<int>(draw_inspector(content_, *desk_.theme, canvas)));
    update();
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
    draw_inspector(content_, *desk_.theme, canvas);
  }

 private:
  Desk& desk_;
  const InspectorContent& content_;
};

Inspector::Inspector(Desk& desk, QWidget* parent) : QScrollArea(parent), desk_(desk) {
  setObjectName("panel");
  setFocusPolicy(Qt::TabFocus);  // the arrows scroll it
  setAccessibleName(tr("Inspector"));
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFrameShape(QFrame::NoFrame);
  viewport()->setAutoFillBackground(false);
  setWidget(page_ = new Page(desk, content_, this));
}

void Inspector::refresh(const ViewContent* active, const std::string& tip) {
  content_ = inspector_content(*desk_.session, active, tip);
  std::string spoken = content_.mark    ? content_.mark->heading
                       : content_.facts ? content_.facts->heading
                                        : content_.heading;
  const std::vector<Fact> none;
  for (const Fact& fact : content_.mark    ? content_.mark->numbers
                          : content_.facts ? content_.facts->numbers
                                           : none)
    spoken += "; " + fact.name + " " + fact.value;
  page_->setAccessibleDescription(qtext(spoken));
  page_->fit(viewport()->width());
}

void Inspector::resizeEvent(QResizeEvent* event) {
  QScrollArea::resizeEvent(event);
  page_->fit(viewport()->width());
}

}  // namespace varve
