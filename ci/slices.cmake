# Holds the list of operations against the files, both ways, and writes the tables that the list stands for.
set(stems ${ASSAY_OPERATIONS})
set(families "")
foreach(stem IN LISTS stems)
  get_filename_component(family ${stem} DIRECTORY)
  list(APPEND families ${family})
  foreach(file engine/${stem}.hpp engine/${stem}.cpp kernels/${stem}.hpp kernels/${stem}.cpp reference/${stem}.hpp
               validation/${stem}.cpp benchmarks/${stem}.cpp)
    if(NOT EXISTS ${CMAKE_SOURCE_DIR}/${file})
      message(FATAL_ERROR "operation ${stem} has no file ${file}: a slice needs it (engine/README.md)")
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES families)
foreach(layer engine kernels reference validation benchmarks)
  foreach(family IN LISTS families)
    file(GLOB files RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${layer}/${family}/*.?pp
      ${CMAKE_SOURCE_DIR}/${layer}/${family}/*.cu)
    foreach(file IN LISTS files)
      string(REGEX REPLACE "^[a-z]+/(.*)\\.[a-z]+$" "\\1" stem ${file})
      string(REGEX REPLACE "_test$" "" stem ${stem})
      if(NOT stem IN_LIST ASSAY_OPERATIONS)
        message(FATAL_ERROR "${file} belongs to no operation: add it to engine/operations.cmake, or keep what several "
          "operations share outside the folder of a family")
      endif()
    endforeach()
  endforeach()
endforeach()

# The tables: one function a layer that names every slice's own function in the order of the list.
set(engine_includes "")
set(engine_lines "")
set(reference_includes "")
set(reference_lines "")
foreach(layer validation benchmarks)
  set(${layer}_declarations "")
  set(${layer}_lines "")
endforeach()
foreach(stem IN LISTS stems)
  get_filename_component(family ${stem} DIRECTORY)
  get_filename_component(name ${stem} NAME)
  string(APPEND engine_includes "#include \"engine/${stem}.hpp\"\n")
  string(APPEND engine_lines "    made.push_back(named_in_profiles(${family}::describe_${name}()));\n")
  string(APPEND reference_includes "#include \"reference/${stem}.hpp\"\n")
  string(APPEND reference_lines "  if (operation == \"${family}.${name}\") return &${family}::run_${name};\n")
  foreach(layer validation benchmarks)
    string(APPEND ${layer}_declarations "namespace ${family} { void describe_${name}(Suite&); }\n")
    string(APPEND ${layer}_lines "  ${family}::describe_${name}(made.emplace_back(\"${family}.${name}\"));\n")
  endforeach()
endforeach()

set(generated ${CMAKE_BINARY_DIR}/generated)
set(head "// Written from engine/operations.cmake when the build is configured.\n")
file(CONFIGURE OUTPUT ${generated}/engine_operations.cpp CONTENT "${head}#include \"engine/operation.hpp\"
${engine_includes}
namespace assay {

std::span<const Operation> operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> made;
${engine_lines}    return made;
  }();
  return all;
}

}  // namespace assay
" @ONLY)
file(CONFIGURE OUTPUT ${generated}/reference_operations.cpp CONTENT "${head}#include \"reference/operations.hpp\"
${reference_includes}
namespace assay::reference {

Body find(std::string_view operation) {
${reference_lines}  return nullptr;
}

}  // namespace assay::reference
" @ONLY)
string(APPEND validation_lines "  add_claim_properties(made);\n")
foreach(layer validation benchmarks)
  file(CONFIGURE OUTPUT ${generated}/${layer}_suites.cpp CONTENT "${head}#include \"${layer}/suite.hpp\"

namespace assay::${layer} {

${${layer}_declarations}
std::vector<Suite> suites() {
  std::vector<Suite> made;
${${layer}_lines}  return made;
}

}  // namespace assay::${layer}
" @ONLY)
endforeach()
