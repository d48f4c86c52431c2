// Starting the desktop: arguments, theme, the window.
#include "app/desktop/desktop.h"

#include <unistd.h>

#include <QApplication>
#include <QCommandLineParser>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "app/desktop/main_window.h"
#include "app/desktop/watch.h"
#include "app/session/session_file.h"

namespace varve {

namespace {

constexpr double design_points = 9;  // what all lengths of the design are made for
constexpr const char* already_scaled = "VARVE_FONT_SCALED";

// All lengths follow the font, and Qt takes one factor for all lengths only from the environment of a program
// that begins: where the font is larger than the design's, this one begins anew. Returns where it need not or
// cannot.
void begin_anew_for_font(double points, char** argv) {
  const double factor = std::min(points / design_points, 3.0);
  if (factor < 1.04 || qEnvironmentVariableIsSet(already_scaled)) return;
  const double given =
      qEnvironmentVariableIsSet("QT_SCALE_FACTOR") ? qgetenv("QT_SCALE_FACTOR").toDouble() : 1;
  qputenv("QT_SCALE_FACTOR", QByteArray::number(factor * (given > 0 ? given : 1)));
  qputenv(already_scaled, QByteArray::number(factor));
  execv("/proc/self/exe", argv);
  qWarning("the larger font is not followed: %s", std::strerror(errno));
}

double number_in(const Remembered& remembered, const char* name) {
  const auto known = remembered.other.find(name);
  return known == remembered.other.end() ? 0 : QString::fromStdString(known->second).toDouble();
}

// The window says what is wrong with a damaged file; here it only means the defaults.
Remembered remembered_in(const std::filesystem::path& file) {
  try {
    return read_session_file(file);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

int run_desktop(int argc, char** argv) {
  // Qt takes --session for itself (that of a session manager) out of what it is given.
  std::vector<char*> given(argv, argv + argc + 1);
  QStringList words;
  for (int i = 0; i < argc; ++i) words.append(QString::fromLocal8Bit(argv[i]));
  WatchedApplication application(argc, argv);
  QApplication::setApplicationName(QStringLiteral("varve"));
  QApplication::setApplicationVersion(QStringLiteral(VARVE_VERSION));

  QCommandLineParser parser;
  parser.setApplicationDescription(
      QStringLiteral("Varve: look at a model's training, checkpoint by checkpoint."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument("series", "A store, a model folder, a folder of steps or a series.toml.",
                               "[SERIES]");
  const QCommandLineOption theme("theme", "light or dark.", "theme");
  const QCommandLineOption text("text", "A prompt to run once the series is open.", "prompt");
  const QCommandLineOption session("session", "The session file to use.", "file");
  QCommandLineOption state("state", "Write what is shown to this file after every change.", "file");
  state.setFlags(QCommandLineOption::HiddenFromHelp);
  parser.addOptions({theme, text, session, state});
  parser.process(words);
  if (parser.isSet(theme) && parser.value(theme) != "light" && parser.value(theme) != "dark") {
    qCritical("--theme is light or dark, not '%s'", qPrintable(parser.value(theme)));
    return 2;
  }

  DesktopOptions options;
  const QStringList series = parser.positionalArguments();
  if (!series.isEmpty()) options.open = series.front().toStdString();
  options.theme = parser.value(theme).toStdString();
  options.text = parser.value(text).toStdString();
  options.session = parser.isSet(session) ? std::filesystem::path(parser.value(session).toStdString())
                                          : default_session_file();
  options.state = parser.value(state).toStdString();
  options.program_folder = QCoreApplication::applicationDirPath().toStdString();
  const Remembered remembered = remembered_in(options.session);
  const double points = number_in(remembered, "font_points");
  begin_anew_for_font(points > 0 ? points : QApplication::font().pointSizeF(), given.data());
  if (const double count = number_in(remembered, "threads"); count >= 1 && count <= 256)
    set_threads(static_cast<int>(count));
  MainWindow window(options);
  window.show();
  return QApplication::exec();
}

}  // namespace varve
