#include "reports/escape.hpp"

#include <gtest/gtest.h>

#include "reports/format.hpp"

namespace assay::reports {
namespace {

TEST(Escape, HtmlCannotBeBrokenOutOf) {
  EXPECT_EQ(escape_html(R"(<script>alert("1" & '2')</script>)"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
  EXPECT_EQ(escape_html(std::string_view("a\0b", 3)),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Escape, OnlyWellFormedUtf8IsKept) {
  const std::string good = "a\xC2\xB5 \xE2\x86\x92 \xF0\x9F\x99\x82";
  EXPECT_EQ(valid_utf8(good), good);
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("\xC3"), bad);
  EXPECT_EQ(valid_utf8("\xC0\xAF"), bad + bad);            // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80"), bad + bad + bad);  // surrogate
  EXPECT_EQ(valid_utf8("\xF5\x80\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(valid_utf8("\xE0\x80\x80"), bad + bad + bad);
  EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(valid_utf8("\x80z"), bad + "z");
}

TEST(Escape, XmlHasNoForbiddenCharacters) {
  EXPECT_EQ(escape_xml("a\x01\x1b[31m<b>\nc\t"), "a[31m&lt;b&gt;&#10;c\t");
}

TEST(Escape, MarkdownStaysInItsCell) {
  EXPECT_EQ(escape_markdown("a|b\n`c` *d* [e](f) <g> @h _i_ & \\"),
            "a\\|b \\`c\\` \\*d\\* \\[e\\](f) &lt;g&gt; &#64;h \\_i\\_ &amp; \\\\");
  EXPECT_EQ(escape_markdown_code("a`b|c\nd_e<f"), "a b c d_e f");
}

TEST(Escape, PrometheusAndScript) {
  EXPECT_EQ(escape_prometheus("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(escape_script_json("{\"a\":\"</script><!--\"}"), "{\"a\":\"\\u003c/script>\\u003c!--\"}");
}

TEST(Format, NumbersAreShortAndHonest) {
  EXPECT_EQ(format_number(0.0), "0");
  EXPECT_EQ(format_number(1.0 / 3.0), "0.333");
  EXPECT_EQ(format_number(1234.4), "1234");
  EXPECT_EQ(format_number(4.5612e-9), "4.56e-09");
  EXPECT_EQ(format_number(std::nullopt), "–");
  EXPECT_EQ(format_number(1.0 / 0.0), "∞");
  EXPECT_EQ(format_number(-1.0 / 0.0), "-∞");
  EXPECT_EQ(format_number(0.0 / 0.0), "–");
}

TEST(Format, TimesHaveTheirUnit) {
  EXPECT_EQ(format_time(312.4), "312 ns");
  EXPECT_EQ(format_time(999.6), "1 us");
  EXPECT_EQ(format_time(12.34e6), "12.3 ms");
  EXPECT_EQ(format_time(1.5e9), "1.5 s");
  EXPECT_EQ(format_time(5e12), "5000 s");
  EXPECT_EQ(format_time(0.0), "–");
  EXPECT_EQ(format_time(0.0 / 0.0), "–");
}

TEST(Format, TheRest) {
  EXPECT_EQ(format_change(1.123), "+12.3 %");
  EXPECT_EQ(format_change(0.5), "-50.0 %");
  EXPECT_EQ(format_change(1.0 / 0.0), "–");
  EXPECT_EQ(format_percent(0.4321), "43.2 %");
  EXPECT_EQ(format_percent(0.0 / 0.0), "–");
  EXPECT_EQ(format_factor(3.239), "3.24x");
  EXPECT_EQ(format_factor(0.0 / 0.0), "–");
  EXPECT_EQ(format_short("0123456789abcdef"), "0123456789ab");
  EXPECT_EQ(format_short(""), "–");
  EXPECT_EQ(format_moment("2025-03-01T02:00:00.000Z"), "2025-03-01 02:00");
  EXPECT_EQ(format_moment(""), "–");
  EXPECT_EQ(format_moment("soon"), "soon");
  EXPECT_EQ(format_count(1, "check"), "1 check");
  EXPECT_EQ(format_count(2, "check was", "checks were"), "2 checks were");
}

}  // namespace
}  // namespace assay::reports
