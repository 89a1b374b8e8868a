#include "ci/program/json_lines.hpp"

#include <fstream>
#include <stdexcept>

#include "ci/program/failure.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::json;

/// So many lines are held at once: enough for every worker, little beside what they are answered with.
constexpr std::size_t lines_at_once = 4096;
constexpr std::size_t bytes_at_once = std::size_t{64} << 20;

struct Line {
  std::int64_t number = 0;
  std::string text;
  bool bad = false;
};

std::string error_line(const std::string& path, std::int64_t number, const std::string& what) {
  return json{{"error", fmt::format("{}:{}: {}", path, number, what)}}.dump(-1, ' ', false,
                                                                            json::error_handler_t::replace);
}

/// Puts the answer in the line's place.
void answer_line(const std::string& path, Line& line, const std::function<std::string(const json&)>& answer) {
  line.bad = true;
  try {
    const json document = json::parse(line.text);
    if (!document.is_object()) throw std::invalid_argument("expected an object");
    line.text = answer(document);
    line.bad = false;
  } catch (const json::parse_error& error) {
    line.text = error_line(path, line.number, fmt::format("no JSON at byte {}", error.byte));
  } catch (const std::logic_error& error) {
    line.text = error_line(path, line.number, error.what());
  } catch (const json::exception& error) {
    line.text = error_line(path, line.number, error.what());
  }
}

}  // namespace

int answer_json_lines(const std::string& path, ThreadPool& pool,
                      const std::function<std::string(const json&)>& answer,
                      const std::function<void(const std::string&)>& print) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(ExitCode::usage, path + ": cannot be read");
  int bad = 0;
  std::int64_t number = 0;
  bool answered = false;
  std::vector<Line> lines;
  const auto flush = [&] {
    pool.parallel_for(static_cast<std::int64_t>(lines.size()), 1,
                      [&](std::int64_t begin, std::int64_t end, unsigned) {
                        for (std::int64_t i = begin; i < end; ++i)
                          answer_line(path, lines[static_cast<std::size_t>(i)], answer);
                      });
    for (const Line& line : lines) {
      print(line.text);
      bad += line.bad ? 1 : 0;
    }
    lines.clear();
  };
  std::size_t bytes = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    answered = true;
    bytes += text.size();
    lines.push_back({number, std::move(text)});
    if (lines.size() < lines_at_once && bytes < bytes_at_once) continue;
    flush();
    bytes = 0;
  }
  flush();
  if (!answered) throw Failure(ExitCode::vacuous, path + ": holds no line");
  return bad;
}

}  // namespace assay::program
