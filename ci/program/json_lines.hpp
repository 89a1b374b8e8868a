#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/runtime/thread_pool.hpp"

namespace assay::program {

/// Answers a file of JSON objects, one a line, in order and on all workers of a pool: `answer` gives the line
/// for one, or throws std::invalid_argument (or what nlohmann throws for a missing or wrong value) with what
/// is wrong with it. A bad line gives {"error": "FILE:LINE: ..."} in its place and the rest goes on; blank
/// ones are passed over. `print` gets each line. Returns how many were bad. Throws Failure: 2 where the file
/// cannot be read, 6 where it holds no line.
int answer_json_lines(const std::string& path, ThreadPool& pool,
                      const std::function<std::string(const nlohmann::json&)>& answer,
                      const std::function<void(const std::string&)>& print);

}  // namespace assay::program
