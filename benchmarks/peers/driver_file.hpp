#pragma once

#include <filesystem>
#include <string>

namespace assay::benchmarks::peers {

/// The file of that name in benchmarks/peers, which drives another program: of the sources that this program
/// was built from, or, where they are not there, of the current folder. Throws std::runtime_error where
/// neither has it.
std::filesystem::path driver_file(const std::string& name);

}  // namespace assay::benchmarks::peers
