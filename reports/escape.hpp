#pragma once

#include <string>
#include <string_view>

/// Text from records put into other formats. A record may hold anything: names that users chose, messages
/// with markup in them, bytes that are no UTF-8. None of it may end a quote, open an element or break a line.
namespace assay::reports {

/// Bytes that are not part of well-formed UTF-8 become U+FFFD, one for each.
std::string valid_utf8(std::string_view text);

/// For element content and quoted attributes of HTML.
std::string escape_html(std::string_view text);

/// For element content and quoted attributes of XML 1.0: also drops the control characters it forbids.
std::string escape_xml(std::string_view text);

/// For one cell of a Markdown table: one line, no markup, no cell separator.
std::string escape_markdown(std::string_view text);

/// For the inside of a Markdown code span in a table: what could end the span or the cell becomes a blank.
std::string escape_markdown_code(std::string_view text);

/// For the value of a label in Prometheus text, between its quotes.
std::string escape_prometheus(std::string_view text);

/// JSON inside a <script> element: "</script" and "<!--" cannot occur in the result.
std::string escape_script_json(std::string_view json);

}  // namespace assay::reports
