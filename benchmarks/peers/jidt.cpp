#include "benchmarks/peers/jidt.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "benchmarks/peers/driver_file.hpp"
#include "benchmarks/peers/handed_file.hpp"

namespace assay::benchmarks::peers {

namespace {

/// The points that a driver reads, one input after the other.
HandedFile points_file(const HostArguments& arguments, std::initializer_list<const char*> inputs) {
  std::vector<std::span<const std::byte>> parts;
  for (const char* input : inputs) {
    const auto found = arguments.inputs.find(input);
    if (found != arguments.inputs.end()) parts.push_back(std::as_bytes(found->second.as<double>()));
  }
  return HandedFile("assay-points-", parts);
}

std::string quoted(const std::string& text) {
  std::string made = "'";
  for (const char c : text) made += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return made + "'";
}

std::string output_of(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("no process could be started for JIDT");
  std::string text;
  char buffer[4096];
  while (const std::size_t read = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, read);
  if (pclose(pipe) != 0)
    throw std::runtime_error("JIDT failed; is java there (version 17 or later, with its compiler)?");
  return text;
}

std::int64_t columns(const HostArguments& arguments, const char* input) {
  const auto found = arguments.inputs.find(input);
  return found == arguments.inputs.end() ? 0 : found->second.shape().at(1);
}

/// "java -cp JAR DRIVER", where all of it is there.
std::string java_with(const char* driver_name) {
  const char* jar = std::getenv("ASSAY_JIDT_JAR");
  if (jar == nullptr || *jar == '\0') throw std::runtime_error("ASSAY_JIDT_JAR is not set");
  if (!std::filesystem::exists(jar))
    throw std::runtime_error("ASSAY_JIDT_JAR names no file: " + std::string(jar));
  return "java -cp " + quoted(jar) + ' ' + quoted(driver_file(driver_name).string());
}

const Operation& operation_named(const char* name) {
  const Operation* operation = find_operation(name);
  if (operation == nullptr) throw std::runtime_error("there is no " + std::string(name) + " to compare with");
  return *operation;
}

/// Times from what a driver printed, once its value is found to be ours.
std::vector<double> times_of(const std::string& printed, double own, int repeats) {
  std::istringstream lines(printed);
  std::string word;
  double value = 0;
  if (!(lines >> word >> value) || word != "value")
    throw std::runtime_error("JIDT printed something else than its times");
  if (!(std::fabs(value - own) <= 1e-6))
    throw std::runtime_error("JIDT's value is " + std::to_string(value) + ", ours " + std::to_string(own));
  std::vector<double> wall_ns;
  double wall = 0, cpu = 0;
  while (lines >> wall >> cpu) wall_ns.push_back(wall);
  if (static_cast<int>(wall_ns.size()) != repeats) throw std::runtime_error("JIDT printed too few times");
  return wall_ns;
}

std::vector<double> run(const HostArguments& arguments, unsigned threads, int repeats) {
  const std::string java = java_with("JidtBench.java");
  const Operation& operation = operation_named("te.ksg");
  const HostArguments copy = arguments.clone();
  const Arguments resolved = resolve(operation, copy.view());
  Context context = Context::cpu();
  if (threads == 0) threads = context.pool().threads();
  const HandedFile points = points_file(arguments, {"x", "y", "z"});
  std::ostringstream command;
  command << java << ' ' << quoted(points.path().string()) << ' ' << arguments.inputs.at("y").shape().at(0);
  for (const char* input : {"x", "y", "z"}) command << ' ' << columns(arguments, input);
  command << ' ' << resolved.integer("k") << ' ' << resolved.integer("algorithm") << ' ' << threads << ' '
          << repeats;
  const std::string printed = output_of(command.str());
  return times_of(printed, run_on_host(context, operation, arguments.view()).at("value").as<double>()[0],
                  repeats);
}

/// The mean of the entries that are not skipped.
double mean_of(const Tensor& values) {
  double sum = 0;
  std::int64_t count = 0;
  for (const double value : values.as<double>())
    if (!std::isnan(value)) {
      sum += value;
      ++count;
    }
  return sum / static_cast<double>(count);
}

std::vector<double> run_network(const HostArguments& arguments, unsigned threads, int asked) {
  const int repeats = std::min(asked, 3);  // seconds each at 30 variables, a minute at 100
  const std::string java = java_with("JidtNetworkBench.java");
  const Operation& operation = operation_named("te.network");
  const HostArguments copy = arguments.clone();
  const Arguments resolved = resolve(operation, copy.view());
  Context context = Context::cpu();
  if (threads == 0) threads = context.pool().threads();
  const HandedFile points = points_file(arguments, {"sources", "y", "z"});
  const Shape& sources = arguments.inputs.at("sources").shape();
  std::ostringstream command;
  command << java << ' ' << quoted(points.path().string()) << ' ' << sources.at(0) << ' '
          << arguments.inputs.at("y").shape().at(0) << ' ' << sources.at(1) << ' ' << resolved.integer("k")
          << ' ' << threads << ' ' << repeats;
  const std::string printed = output_of(command.str());
  return times_of(printed, mean_of(run_on_host(context, operation, arguments.view()).at("values")), repeats);
}

std::string name_for(unsigned threads) {
  return threads == 1 ? "JIDT, k-d tree, double, 1 thread" : "JIDT, k-d tree, double, all threads";
}

}  // namespace

Peer jidt(std::string label, unsigned threads) {
  Peer peer;
  peer.name = name_for(threads);
  peer.label = std::move(label);
  peer.run = [threads](const HostArguments& arguments, int repeats) {
    return PeerTimes{run(arguments, threads, repeats)};
  };
  return peer;
}

Peer jidt_network(std::string label, unsigned threads) {
  Peer peer;
  peer.name = name_for(threads);
  peer.label = std::move(label);
  peer.run = [threads](const HostArguments& arguments, int repeats) {
    return PeerTimes{run_network(arguments, threads, repeats)};
  };
  return peer;
}

}  // namespace assay::benchmarks::peers
