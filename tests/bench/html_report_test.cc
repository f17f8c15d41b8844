#include "bench/rd/html_report.h"

#include <gtest/gtest.h>

namespace strait {
namespace {

TEST(HtmlReport, HoldsPlotTablesExamplesRecipesAndMachineWithTextEscaped) {
  HtmlContent content;
  content.title = "a <b> & \"c\"";
  content.plot_svg = "<?xml version=\"1.0\"?>\n<svg>plot</svg>";
  content.tables = {{"Rates", "x < y\n"}};
  Example example;
  example.png = {0xff, 0x00, 0xfe, 0x10};
  example.label = "cat";
  example.unsplit = {"cat", true};
  example.answers = {{"run", "0", 24, {"dog", false}}, {"run", "7", 136, {"IoU", true, {0xff, 0xff, 0xff}}}};
  content.examples = {example};
  content.recipes = {{"runs/first", "[train]\n"}};
  content.machine = "a machine\n";
  const std::string html = ToHtml(content);
  for (const char* part : {"<title>a &lt;b&gt; &amp; &quot;c&quot;</title>", "<h1>a &lt;b&gt;", "<svg>plot</svg>",
                           "<pre>x &lt; y\n</pre>", "base64,/wD+EA==\"", "24 B</td><td class=\"wrong\">dog</td>",
                           "136 B</td><td><img alt=\"\" src=\"data:image/png;base64,////\">IoU</td>",
                           "<summary>runs/first</summary>", "a machine"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part << "\n" << html;
  }
  EXPECT_EQ(html.find("<?xml"), std::string::npos);
}

TEST(HtmlReport, DescribesTheMachineWithVersions) {
  const std::string machine = DescribeMachine();
  EXPECT_NE(machine.find("LibTorch"), std::string::npos);
  EXPECT_NE(machine.find(" threads"), std::string::npos);
}

}  // namespace
}  // namespace strait
