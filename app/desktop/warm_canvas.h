// A canvas nobody sees, drawn once before the window is used: graphics drivers make their programs at the
// first picture of each kind.
#pragma once

#include <QOpenGLWidget>
#include <memory>

#include "app/desktop/desk.h"
#include "viz/host/frame.h"

namespace varve {

class WarmCanvas : public QOpenGLWidget {
 public:
  WarmCanvas(Desk& desk, std::shared_ptr<ScreenFonts> fonts, QWidget* parent);
  ~WarmCanvas() override;

 protected:
  void paintGL() override;

 private:
  Desk& desk_;
  Frame frame_;
};

}  // namespace varve
