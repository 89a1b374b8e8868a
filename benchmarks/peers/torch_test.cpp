// PyTorch is not part of this project. A script stands in for python here: it shows what is asked and what is
// done with what a peer answers, which is all that is ours.

#include "benchmarks/peers/torch.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "benchmarks/logits/model_logits.hpp"
#include "benchmarks/peers/torch_answer.hpp"

namespace assay::benchmarks::peers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::int64_t rows = 3, tokens = 100;

HostArguments chain_of(std::int64_t count = rows) {
  HostArguments made;
  made.inputs.emplace("logits", logits::model_logits(DType::f32, {count, tokens}, 11));
  made.inputs.emplace("temperature", logits::per_row<float>(count, 0.5F));
  made.inputs.emplace("top_k", logits::per_row<std::int32_t>(count, 50));
  made.inputs.emplace("top_p", logits::per_row<double>(count, 0.75));
  made.inputs.emplace("min_p", logits::per_row<double>(count, 0.0625));
  made.inputs.emplace("seed", logits::per_row<std::int64_t>(count, 1));
  made.inputs.emplace("position", logits::per_row<std::int64_t>(count, 7));
  made.parameters = {{"order", std::string("temperature,top_k,top_p,min_p")}};
  return made;
}

HostArguments logits_only() {
  HostArguments made;
  made.inputs.emplace("logits", logits::model_logits(DType::f32, {rows, tokens}, 11));
  return made;
}

HostArguments log_probs_of() {
  HostArguments made = logits_only();
  made.inputs.emplace("tokens", logits::per_row<std::int32_t>(rows, 12));
  made.parameters = {{"n", std::int64_t{5}}};
  return made;
}

std::map<std::string, Tensor> ours(const char* operation, const HostArguments& arguments) {
  Context context = Context::cpu(1);
  return run_on_host(context, *find_operation(operation), arguments.view());
}

/// An answer that is right in all but what a test changes.
json answer_like(std::initializer_list<std::pair<const char*, json>> parts) {
  json answer{{"torch", "2.9.0"}, {"device", "a device"}, {"rows", rows}, {"tokens", tokens},
              {"graph", true},    {"cache", "cold: so"},  {"calls", 8},   {"times_ns", {11.0, 22.0, 33.5}}};
  for (const auto& [name, value] : parts) answer[name] = value;
  return answer;
}

template <typename T>
json list_of(const Tensor& tensor) {
  json list = json::array();
  for (const T value : tensor.as<T>()) list.push_back(value);
  return list;
}

json right_chain(const HostArguments& arguments) {
  return answer_like({{"draw", "multinomial"},
                      {"token", json::array({0, 1, 2})},
                      {"kept", list_of<std::int32_t>(ours("sampling.chain", arguments).at("kept"))}});
}

class Torch : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("assay_torch_test." + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    ::setenv("TMPDIR", folder_.c_str(), 1);
    ::setenv("ASSAY_TORCH_PYTHON", (folder_ / "its python").c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("ASSAY_TORCH_PYTHON");
    ::unsetenv("TMPDIR");
    fs::remove_all(folder_);
  }

  /// What the interpreter does from now on: it notes its script, and of each request the line and the logits;
  /// then this.
  void python(const std::string& lines) const {
    std::ofstream(folder_ / "its python")
        << "#!/bin/sh\nfolder='" << folder_.string() << "'\necho \"$1\" >>\"$folder/started\"\n"
        << "while read -r line; do\nprintf '%s\\n' \"$line\" >>\"$folder/requests\"\n"
        << "cp \"$(printf '%s' \"$line\" | sed 's/.*\"logits\":\"\\([^\"]*\\)\".*/\\1/')\" "
           "\"$folder/logits\"\n"
        << lines << "\ndone\n";
    fs::permissions(folder_ / "its python", fs::perms::owner_all);
  }
  void answers(const json& answer) const {
    std::ofstream(folder_ / "answer") << answer.dump() << "\n";
    python("cat \"$folder/answer\"");
  }
  std::vector<std::string> noted(const char* name) const {
    std::ifstream file(folder_ / name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::string refusal(const char* operation, const HostArguments& arguments) const {
    try {
      torch(operation, "rows=3", Backend::cuda).run(arguments, 15);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }
  std::string refusal(const HostArguments& arguments, const json& answer,
                      const char* operation = "sampling.chain") const {
    answers(answer);
    return refusal(operation, arguments);
  }

  fs::path folder_;
};

TEST_F(Torch, GetsTheLogitsAndTheParametersAndItsTimesAreTaken) {
  const HostArguments arguments = chain_of();
  answers(right_chain(arguments));
  const Peer peer = torch("sampling.chain", "rows=3", Backend::cuda);
  EXPECT_EQ(peer.label, "rows=3");
  EXPECT_EQ(peer.beside, std::vector<Backend>{Backend::cuda});
  const PeerTimes times = peer.run(arguments, 15);
  EXPECT_EQ(times.samples_ns, (std::vector<double>{11, 22, 33.5}));
  EXPECT_EQ(times.cache, "cold: so");
  EXPECT_EQ(times.calls_per_sample, 8);
  EXPECT_EQ(times.notes, (std::map<std::string, std::string>{{"torch", "2.9.0"},
                                                             {"device", "a device"},
                                                             {"graph", "true"},
                                                             {"draw", "multinomial"},
                                                             {"kept_differs", "0 of 3 rows"},
                                                             {"kept_apart_at_most", "0"}}));
  ASSERT_EQ(noted("requests").size(), 1U);
  json request = json::parse(noted("requests")[0]);
  EXPECT_FALSE(fs::exists(request.at("logits").get<std::string>()));
  request.erase("logits");
  EXPECT_EQ(request, (json{{"work", "chain"},
                           {"device", "cuda"},
                           {"rows", 3},
                           {"tokens", 100},
                           {"runs", 15},
                           {"order", {"temperature", "top_k", "top_p", "min_p"}},
                           {"temperature", 0.5},
                           {"top_k", 50},
                           {"top_p", 0.75},
                           {"min_p", 0.0625}}));
  std::ifstream file(folder_ / "logits", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto handed = std::as_bytes(arguments.inputs.at("logits").as<float>());
  ASSERT_EQ(bytes.size(), handed.size());
  EXPECT_TRUE(std::equal(handed.begin(), handed.end(), std::as_bytes(std::span(bytes)).begin()));
  EXPECT_TRUE(noted("started").at(0).ends_with("/benchmarks/peers/torch_sampling.py"));
  EXPECT_TRUE(fs::exists(noted("started")[0]));
}

TEST_F(Torch, AsksOfEachOperationWhatItNeeds) {
  python("echo '{\"error\":\"enough\"}'");
  for (const char* operation : {"sampling.argmax", "sampling.softmax"})
    EXPECT_EQ(refusal(operation, logits_only()), "enough");
  EXPECT_EQ(refusal("sampling.log_probs", log_probs_of()), "enough");
  std::vector<json> requests;
  for (const std::string& line : noted("requests")) {
    requests.push_back(json::parse(line));
    requests.back().erase("logits");
  }
  const json plain{{"device", "cuda"}, {"rows", 3}, {"tokens", 100}, {"runs", 15}};
  json argmax = plain, softmax = plain, log_probs = plain;
  argmax["work"] = "argmax";
  softmax["work"] = "softmax";
  log_probs.update({{"work", "log_probs"}, {"n", 5}, {"chosen", 12}});
  EXPECT_EQ(requests, (std::vector<json>{argmax, softmax, log_probs}));
}

TEST_F(Torch, IsStartedOnceForAllPeersThatAreThere) {
  const HostArguments arguments = chain_of();
  answers(right_chain(arguments));
  const Peer one = torch("sampling.chain", "rows=3", Backend::cuda);
  const Peer other = torch("sampling.chain", "rows=3", Backend::cpu);
  one.run(arguments, 15);
  other.run(arguments, 15);
  EXPECT_EQ(noted("started").size(), 1U);
  ASSERT_EQ(noted("requests").size(), 2U);
  const json request = json::parse(noted("requests")[1]);
  EXPECT_EQ(request.at("device"), "cpu");
  EXPECT_GE(request.at("threads"), 1);
}

TEST_F(Torch, ACaseOfAnotherShapeGetsNoTime) {
  const HostArguments arguments = chain_of();
  json answer = right_chain(arguments);
  answer["tokens"] = 99;
  EXPECT_EQ(refusal(arguments, answer), "PyTorch's case is (3, 99), ours (3, 100)");
  answer = right_chain(arguments);
  answer["kept"].erase(2);
  EXPECT_EQ(refusal(arguments, answer), "PyTorch's answer has not one number for each row");
  answer = right_chain(arguments);
  answer["token"][1] = 100;
  EXPECT_EQ(refusal(arguments, answer), "PyTorch's token 100 is not in the vocabulary");
}

TEST_F(Torch, AChainThatKeepsMoreThanFloat32AllowsGetsNoTime) {
  const HostArguments arguments = chain_of();
  for (const int by : {-1, 1}) {
    json answer = right_chain(arguments);
    answer["kept"][1] = answer["kept"][1].get<int>() + by;
    EXPECT_TRUE(refusal(arguments, answer).starts_with("PyTorch's chain keeps "))
        << refusal(arguments, answer);
    EXPECT_NE(refusal(arguments, answer).find(" tokens in row 1, ours "), std::string::npos);
  }
}

TEST_F(Torch, NotesRowsThatFloat32CutsElsewhere) {
  // Four tokens of the same probability: 3/4 is p to the last bit, and whether a fourth is needed is a
  // rounding.
  HostArguments arguments = chain_of(2);
  Tensor& logits = arguments.inputs.at("logits");
  for (float& logit : logits.as<float>()) logit = -200;
  for (const std::int64_t row : {0, 1})
    for (const std::int64_t token : {3, 14, 15, 92}) logits.as<float>()[row * tokens + token] = 1;
  arguments.parameters = {{"order", std::string("temperature,top_p")}};
  json answer = answer_like({{"rows", 2}, {"token", json::array({3, 14})}, {"kept", json::array({3, 4})}});
  answers(answer);
  const PeerTimes times = torch("sampling.chain", "rows=2", Backend::cuda).run(arguments, 15);
  EXPECT_EQ(times.notes.at("kept_differs"), "1 of 2 rows");
  EXPECT_EQ(times.notes.at("kept_apart_at_most"), "1");
  answer["kept"] = {3, 2};
  EXPECT_TRUE(refusal(arguments, answer).starts_with("PyTorch's chain keeps 2 tokens in row 1, ours 3; "));
}

TEST_F(Torch, AnotherMaximumOrProbabilityGetsNoTime) {
  const HostArguments plain = logits_only();
  json answer = answer_like({{"token", list_of<std::int32_t>(ours("sampling.argmax", plain).at("token"))}});
  EXPECT_EQ(refusal(plain, answer, "sampling.argmax"), "accepted");
  answer["token"][2] = (answer["token"][2].get<int>() + 1) % tokens;
  EXPECT_TRUE(refusal(plain, answer, "sampling.argmax").starts_with("PyTorch's first token in row 2 is "));

  const auto probabilities = ours("sampling.softmax", plain);
  const auto values = probabilities.at("probabilities").as<float>();
  json largest = json::array();
  for (std::int64_t row = 0; row < rows; ++row)
    largest.push_back(*std::max_element(values.begin() + row * tokens, values.begin() + (row + 1) * tokens));
  answer = answer_like({{"value", largest}});
  EXPECT_EQ(refusal(plain, answer, "sampling.softmax"), "accepted");
  answer["value"][0] = largest[0].get<double>() * (1 - 2e-5);  // 100 tokens allow 1e-5
  EXPECT_TRUE(
      refusal(plain, answer, "sampling.softmax").starts_with("PyTorch's largest probability in row 0 "));

  const HostArguments listed = log_probs_of();
  const auto list = ours("sampling.log_probs", listed);
  json first = json::array(), ids = json::array();
  for (std::int64_t row = 0; row < rows; ++row) {
    first.push_back(list.at("log_probs").as<float>()[row * 5]);
    ids.push_back(list.at("ids").as<std::int32_t>()[row * 5]);
  }
  answer = answer_like({{"token", ids}, {"value", first}});
  EXPECT_EQ(refusal(listed, answer, "sampling.log_probs"), "accepted");
  answer["value"][1] = first[1].get<double>() + 2e-5;
  EXPECT_TRUE(
      refusal(listed, answer, "sampling.log_probs").starts_with("PyTorch's first log probability in row 1 "));
}

TEST_F(Torch, SaysWhyItDidNotRun) {
  const HostArguments arguments = chain_of();
  python("echo \"{\\\"error\\\":\\\"PyTorch is not there: No module named 'torch'\\\"}\"");
  EXPECT_EQ(refusal("sampling.chain", arguments), "PyTorch is not there: No module named 'torch'");
  python("exit 1");
  EXPECT_TRUE(refusal("sampling.chain", arguments).ends_with("/its python ended without an answer"));
  python("echo Traceback");
  EXPECT_EQ(refusal("sampling.chain", arguments), "PyTorch's script printed something else than an answer");
  json answer = right_chain(arguments);
  answer.erase("calls");
  EXPECT_TRUE(refusal(arguments, answer).starts_with("PyTorch's answer lacks a part: "));
  answer = right_chain(arguments);
  answer["times_ns"] = {1.0, 0.0};
  EXPECT_EQ(refusal(arguments, answer), "PyTorch's answer has no times, or some that are none");
  fs::remove(folder_ / "its python");
  EXPECT_TRUE(refusal("sampling.chain", arguments).ends_with("cannot be started: No such file or directory"));
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_FALSE(entry.path().filename().string().starts_with("assay-logits-")) << entry.path();
}

TEST_F(Torch, TheScriptItselfSaysThatPyTorchIsNotThere) {
  std::ofstream(folder_ / "torch.py") << "raise ImportError('as planned')\n";
  std::ofstream(folder_ / "its python")
      << "#!/bin/sh\nPYTHONPATH='" << folder_.string() << "' PYTHONDONTWRITEBYTECODE=1 exec python3 \"$@\"\n";
  fs::permissions(folder_ / "its python", fs::perms::owner_all);
  EXPECT_EQ(refusal("sampling.chain", chain_of()), "PyTorch is not there: as planned");
}

TEST_F(Torch, RefusesWhatItsCodeDoesNotDo) {
  python("echo unasked");
  HostArguments arguments = chain_of();
  arguments.inputs.at("top_p").as<double>()[1] = 0.5;
  EXPECT_EQ(refusal("sampling.chain", arguments), "rows differ in top_p: PyTorch's code takes one value");
  HostArguments halves;
  halves.inputs.emplace("logits", logits::model_logits(DType::bf16, {rows, tokens}, 11));
  EXPECT_EQ(refusal("sampling.argmax", halves), "PyTorch is timed in float32 and without a mask");
  HostArguments unasked = log_probs_of();
  unasked.inputs.erase("tokens");
  EXPECT_EQ(refusal("sampling.log_probs", unasked), "PyTorch's code looks up a token in each row");
  EXPECT_TRUE(noted("requests").empty());
}

TEST(TorchPeers, StandBesideFloat32OnEachBackendThatTheCaseHas) {
  std::size_t on_cpu = 0, on_device = 0;
  for (const Suite& suite : suites())
    for (const Peer& peer : suite.peers()) {
      if (!peer.name.starts_with("PyTorch")) continue;
      ASSERT_EQ(peer.beside.size(), 1U);
      ++(peer.beside[0] == Backend::cpu ? on_cpu : on_device);
      const auto item = std::find_if(suite.cases().begin(), suite.cases().end(),
                                     [&](const Case& one) { return one.label == peer.label; });
      ASSERT_NE(item, suite.cases().end());
      EXPECT_EQ(std::count(item->backends.begin(), item->backends.end(), peer.beside[0]), 1);
      const HostArguments arguments = (item->check_with ? item->check_with : item->make)(1);
      EXPECT_EQ(arguments.inputs.at("logits").dtype(), DType::f32) << peer.label;
    }
  EXPECT_EQ(on_device, 2U * 6U + 4U * 3U);  // two chains of two vocabularies, four operations of one
  EXPECT_EQ(on_cpu, 2U * 2U + 4U);
}

}  // namespace
}  // namespace assay::benchmarks::peers
