// The picture that a widget is drawn into: as large as the widget is in device pixels.
#pragma once

#include <QImage>
#include <QWidget>
#include <cmath>

#include "viz/host/raster.h"

namespace varve {

// Makes `picture` anew where the widget has another size or lies on another screen.
inline Pixels pixels_of(QImage& picture, const QWidget& widget) {
  const double dpr = widget.devicePixelRatioF();
  const QSize size{static_cast<int>(std::lround(widget.width() * dpr)),
                   static_cast<int>(std::lround(widget.height() * dpr))};
  if (picture.size() != size) picture = QImage(size, QImage::Format_RGB32);
  picture.setDevicePixelRatio(dpr);
  return {reinterpret_cast<uint32_t*>(picture.bits()), size.height(), size.width(),
          picture.bytesPerLine() / static_cast<int64_t>(sizeof(uint32_t))};
}

}  // namespace varve
