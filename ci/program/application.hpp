#pragma once

#include <vector>

#include "ci/program/command.hpp"

namespace assay::program {

/// All commands, in the order of the help.
const std::vector<Command>& commands();

/// The program: reads the command line, runs the command, and turns every failure into one line on standard
/// error and an exit code (exit_code.hpp).
int run(int argc, char** argv);

/// The version of the program.
const char* version();

}  // namespace assay::program
