// A report page: plain HTML with its style inside, no script, nothing fetched.
#include "app/console/page.h"

#include <fmt/format.h>

namespace varve {
namespace {

// The light theme's palette; figures bring the same colours.
const char* const style = R"(
:root{--ground:#DFE4E9;--panel:#F4F6F8;--canvas:#FFFFFF;--raised:#E9EDF1;--hair:#D3D9DF;--ink:#18202A;
--ink2:#46525F;--ink3:#596572;--accent:#0A5FB0;--ok:#1A6E3C;--oksoft:#DCEFE2;--fail:#B3261E;--failsoft:#F9E0DC}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.5 "DejaVu Sans",system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:4px}
header,section{background:var(--panel);padding:16px 20px;margin:4px 0}
h1{font-size:26px;margin:0 0 4px}h2{font-size:16px;margin:0 0 10px}
p{margin:6px 0;color:var(--ink2)}nav a{margin-right:14px}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.wide{overflow-x:auto}
table{border-collapse:collapse;background:var(--canvas);font-size:12.5px;font-variant-numeric:tabular-nums}
th,td{padding:3px 10px;border-bottom:1px solid var(--hair);text-align:left;white-space:nowrap}
th{color:var(--ink3);font-weight:normal}.r{text-align:right}
td.mono,.mono{font-family:"DejaVu Sans Mono",monospace;font-size:12px}
figure{margin:10px 0;background:var(--canvas);padding:10px;border:1px solid var(--hair)}
figure img{display:block;max-width:100%;height:auto;margin:0 auto}
figcaption{color:var(--ink3);font-size:12.5px;margin-top:8px}
.badge{display:inline-block;padding:1px 9px;border-radius:3px;font-size:12.5px}
.ok{background:var(--oksoft);color:var(--ok)}.fail{background:var(--failsoft);color:var(--fail)}
details{margin:8px 0}summary{cursor:pointer;color:var(--ink3);font-size:12.5px}
details td{white-space:normal;overflow-wrap:anywhere}
@media print{body{background:#fff}section,header{break-inside:avoid-page}}
)";

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

void Page::heading(const std::string& text) {
  if (headings_++ > 0) body_ += "</section>\n";
  body_ += fmt::format("<section id=\"s{}\"><h2>{}</h2>\n", headings_, escaped(text));
  contents_ += fmt::format("<a href=\"#s{}\">{}</a>", headings_, escaped(text));
}

void Page::paragraph(const std::string& text, const std::string& css) {
  body_ += fmt::format("<p{}>{}</p>\n", css.empty() ? "" : " class=\"" + css + "\"", escaped(text));
}

void Page::badge(bool passed, const std::string& text) {
  body_ += fmt::format("<p><span class=\"badge {}\">{} {}</span></p>\n", passed ? "ok" : "fail",
                       passed ? "&#10003;" : "&#10007;", escaped(text));
}

void Page::figure(const std::string& stem, const std::string& caption) {
  const std::string name = escaped(stem);
  body_ += fmt::format(
      "<figure><img src=\"figures/{0}.svg\" alt=\"{1}\"><figcaption>{1} &middot; <a "
      "href=\"figures/{0}.svg\">SVG</a> "
      "<a href=\"figures/{0}.png\">PNG</a></figcaption></figure>\n",
      name, escaped(caption));
}

void Page::link(const std::string& file, const std::string& text) {
  body_ += fmt::format("<p><a href=\"{}\">{}</a></p>\n", escaped(file), escaped(text));
}

void Page::table(const std::vector<std::string>& headings,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> right;
  body_ += "<div class=\"wide\"><table><tr>";
  for (const std::string& heading : headings) {
    right.push_back(!heading.empty() && heading[0] == '>');
    body_ += fmt::format("<th{}>{}</th>", right.back() ? " class=\"r\"" : "",
                         escaped(right.back() ? heading.substr(1) : heading));
  }
  body_ += "</tr>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (size_t c = 0; c < row.size(); ++c)
      body_ +=
          fmt::format("<td{}>{}</td>", c < right.size() && right[c] ? " class=\"r\"" : "", escaped(row[c]));
    body_ += "</tr>\n";
  }
  body_ += "</table></div>\n";
}

void Page::details(const std::string& summary,
                   const std::vector<std::vector<std::string>>& names_and_values) {
  body_ += fmt::format("<details><summary>{}</summary>", escaped(summary));
  table({"name", "value"}, names_and_values);
  body_ += "</details>\n";
}

std::string Page::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
      "<style>{1}</style></head>\n<body><main><header><h1>{0}</h1><nav>{2}</nav></header>\n{3}{4}</main></"
      "body></html>\n",
      escaped(title_), style, contents_, body_, headings_ > 0 ? "</section>\n" : "");
}

}  // namespace varve
