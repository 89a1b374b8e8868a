#include "ci/program/application.hpp"

int main(int argc, char** argv) {
  return assay::program::run(argc, argv);
}
