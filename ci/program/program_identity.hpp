#pragma once

#include <string>

namespace assay::program {

/// A digest of what a program loads and runs: of an ELF file its allocated sections (code, constants, device
/// code) but no note, of any other file all bytes. Empty where it cannot be read.
std::string code_digest(const std::string& path);

/// Whether two programs run the same code: equal digests, or, where each lies in its build folder, equal
/// objects of what is timed (kernels, engine, benchmarks but the peers), each by its allocated sections and
/// what they refer to. The second holds for a program that was linked in another order, or whose other parts
/// changed.
struct CodeIdentity {
  bool equal = false;
  std::string how;  ///< one line
};
CodeIdentity compare_code(const std::string& base, const std::string& candidate);

}  // namespace assay::program
