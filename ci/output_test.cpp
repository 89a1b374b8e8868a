// What the commands print and write beside what the other tests look at: text for people, the gate's
// document, arrays of other types.

#include <cmath>

#include "ci/test_process.hpp"

namespace assay::program {
namespace {

using Output = InFolder;
using nlohmann::json;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(Output, TheGateNamesItsBaselineAndWritesForPeopleAndMachines) {
  const std::vector<std::string> validate{"validate", "--op",    "te.digamma", "--cases",
                                          "3",        "--store", "s.sqlite"};
  const json first = document(validate);
  ASSERT_EQ(run({"baseline", "promote", "--store", "s.sqlite"}).code, 0);
  const json second = document(validate);
  const json d = document({"gate", "--store", "s.sqlite", "--strict"});
  EXPECT_EQ(d["run"], second["run"]);
  EXPECT_EQ(d["baseline"], first["run"]);
  EXPECT_EQ(d["exit_code"], 0);
  const json& verdicts = d["checks"];
  EXPECT_EQ(verdicts["pass"].get<std::size_t>() + verdicts.value("not_executed", std::size_t{0}),
            second["checks"].size());
  EXPECT_TRUE(d["items"].empty());
  const std::string headline = d["headline"];
  EXPECT_NE(read("gate.md").find(headline), std::string::npos);
  EXPECT_NE(read("gate.xml").find("recurrence"), std::string::npos);

  const std::vector<std::string> elsewhere{"gate",          "--store", "s.sqlite", "--markdown",
                                           "for_people.md", "--junit", "a.xml"};
  const Outcome text = run(elsewhere);
  EXPECT_EQ(text.out, read("for_people.md"));
  EXPECT_EQ(count_of(read("a.xml"), "<testcase"), second["checks"].size());
}

TEST_F(Output, DoctorAndListForPeople) {
  const std::string doctor = run({"doctor"}).out;
  EXPECT_TRUE(doctor.starts_with("assay "));
  const json facts = document({"doctor"});
  for (const char* part : {"CPU features", "fingerprint", "libraries:", "store: ", "CUDA compiled in"})
    EXPECT_NE(doctor.find(part), std::string::npos) << part;
  EXPECT_NE(doctor.find(facts["fingerprint"].get<std::string>()), std::string::npos);
  const json listed = document({"list", "--op", "te.knn"});
  const std::string list = run({"list", "--op", "te.knn"}).out;
  EXPECT_TRUE(list.starts_with("te.knn: ")) << list;
  EXPECT_NE(list.find(std::to_string(listed["operations"][0]["properties"].size()) + " properties"),
            std::string::npos)
      << list;
  EXPECT_NE(list.find("parameters k, theiler_window=0"), std::string::npos) << list;
}

TEST_F(Output, MutateNamesWhatCaughtEachFaultUnlessQuiet) {
  if (!fs::exists(program_path().parent_path() / "assay-mutants"))
    GTEST_SKIP() << "assay-mutants is not built";
  const std::vector<std::string> mutate{"mutate", "--op", "te.digamma"};
  const std::string text = run(mutate).out;
  const std::size_t caught = count_of(text, "by te.digamma/");
  EXPECT_GT(caught, 0u);
  const std::string total = std::to_string(caught);
  const std::string ending = "mutants: " + total + " of " + total + " caught";  // and what was not executed
  EXPECT_NE(text.find(ending), std::string::npos) << text;
  std::vector<std::string> quiet = mutate;
  quiet.emplace_back("--quiet");
  const std::string rest = run(quiet).out;
  EXPECT_EQ(count_of(rest, "by te.digamma/"), 0u) << rest;
  EXPECT_NE(rest.find(ending), std::string::npos) << rest;
}

TEST_F(Output, BenchPrintsOneLineACaseAndTheCeilings) {
  const std::string text =
      run({"bench", "--op", "te.digamma", "--quick", "--seconds", "0.02", "--backend", "cpu"}).out;
  EXPECT_TRUE(text.starts_with("case ")) << text;
  const json listed = document({"list", "--op", "te.digamma"});
  for (const auto& size : listed["operations"][0]["benchmark_cases"]) {
    const std::string label = size.is_string() ? size.get<std::string>() : size["label"].get<std::string>();
    EXPECT_NE(text.find("te.digamma/" + label + "/cpu"), std::string::npos) << text;
  }
  EXPECT_NE(text.find(" %"), std::string::npos) << text;
  EXPECT_NE(text.find("roofline: copy rate "), std::string::npos) << text;
}

/// An array of NumPy, format version 1.0.
template <typename Number>
std::string npy(const std::string& type, const std::string& shape, const std::vector<Number>& values) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header += std::string(117 - header.size(), ' ') + "\n";
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + header +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number));
}

template <typename Number>
std::vector<Number> numbers_of(const std::string& file) {
  std::vector<Number> numbers((file.size() - 128) / sizeof(Number));
  std::copy_n(file.data() + 128, numbers.size() * sizeof(Number), reinterpret_cast<char*>(numbers.data()));
  return numbers;
}

TEST_F(Output, RunTakesSmallerTypesThanTheOperationAndNoOther) {
  write("f32.npy", npy<float>("<f4", "(5, 1)", {0, 1, 3, 7, 20}));
  write("trials.npy", npy<std::int32_t>("<i4", "(2,)", {2, 3}));
  const std::vector<std::string> knn{"run",   "te.knn",          "--in",  "points=f32.npy", "--set", "k=1",
                                     "--out", "distances=d.npy", "--out", "indices=i.npy"};
  ASSERT_EQ(run(knn).code, 0);
  EXPECT_EQ(numbers_of<double>(read("d.npy")), (std::vector<double>{1, 1, 2, 4, 13}));
  EXPECT_EQ(numbers_of<std::int64_t>(read("i.npy")), (std::vector<std::int64_t>{1, 0, 1, 2, 3}));
  std::vector<std::string> apart = knn;
  apart.insert(apart.end(), {"--in", "trial_lengths=trials.npy", "--set", "theiler_window=0"});
  ASSERT_EQ(run(apart).code, 0) << run(apart).err;
  write("short.npy", npy<std::int32_t>("<i4", "(2,)", {2, 2}));
  apart[apart.size() - 3] = "trial_lengths=short.npy";
  expect_refused(apart, "trial_lengths");
  write("i32.npy", npy<std::int32_t>("<i4", "(5, 1)", {0, 1, 3, 7, 20}));
  expect_refused({"run", "te.knn", "--in", "points=i32.npy", "--set", "k=1"},
                 "te.knn: points: holds i32; expected f64");
}

TEST_F(Output, RunShowsAValueThatIsOneNumber) {
  std::vector<double> x, y;
  for (int i = 0; i < 40; ++i) {
    x.push_back(std::sin(i * i));
    y.push_back(x.back() + 0.3 * std::cos(7.0 * i * i));
  }
  write("x.npy", npy<double>("<f8", "(40, 1)", x));
  write("y.npy", npy<double>("<f8", "(40, 1)", y));
  const std::vector<std::string> ksg{"run", "te.ksg", "--in", "x=x.npy", "--in", "y=y.npy"};
  const double value = document(ksg)["outputs"]["value"]["value"];
  EXPECT_GT(value, 0.2);
  const std::string text = run(ksg).out;
  const std::size_t at = text.find("value f64 (1) = ");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_EQ(std::stod(text.substr(at + 16)), value);
}

class Embedding : public Output {
 protected:
  void SetUp() override {
    Output::SetUp();
    write("e.csv", "x,y,z\n1,10,5\n2,20,6\n3,30,7\n4,40,8\n");
  }
};

TEST_F(Embedding, ConditionalsStandLastAndTheDocumentHoldsEveryRow) {
  const json d = document({"te", "embed", "--data", "e.csv", "--source", "x", "--target", "y",
                           "--conditional", "z", "--cond-history", "1", "--cond-delay", "2"});
  EXPECT_EQ(d["columns"], json::array({"y[t]", "y[t-1]", "x[t-1]", "z[t-2]"}));
  EXPECT_EQ(d["rows"], json::array({2, 3}));
  EXPECT_EQ(d["embedded"], json::parse("[[30, 20, 2, 5], [40, 30, 3, 6]]"));
  EXPECT_EQ(d["samples"], 2);
  EXPECT_EQ(d["dimensions"], 4);
}

TEST_F(Embedding, GoesToTheFileThatIsNamedAndIsReadBackAlike) {
  const std::vector<std::string> embed{"te",       "embed", "--data",    "e.csv",
                                       "--series", "x,y",   "--history", "2,1"};
  const std::string printed = run(embed).out;
  std::vector<std::string> to_csv = embed, to_npy = embed;
  to_csv.insert(to_csv.end(), {"--out", "o.csv"});
  to_npy.insert(to_npy.end(), {"--out", "o.npy"});
  const Outcome csv = run(to_csv);
  EXPECT_EQ(csv.out, "");
  EXPECT_NE(csv.err.find("o.csv: 3 observations of 3 values"), std::string::npos) << csv.err;
  EXPECT_EQ(read("o.csv"), printed);
  const json d = document(to_npy);
  EXPECT_EQ(d["out"], "o.npy");
  EXPECT_FALSE(d.contains("embedded"));
  EXPECT_EQ(numbers_of<double>(read("o.npy")), (std::vector<double>{2, 1, 20, 3, 2, 30, 4, 3, 40}));
}

TEST_F(Embedding, RefusesListsOfTheWrongLength) {
  expect_refused({"te", "embed", "--data", "e.csv"}, "--series COL,.. or --target COL,.. is required");
  expect_refused({"te", "embed", "--data", "e.csv", "--series", "x,y", "--history", "1,2,3"},
                 "--history: 3 entries, expected one or one for each of the 2 series");
  expect_refused({"te", "embed", "--data", "e.csv", "--source", "x", "--target", "y", "--conditional", "z",
                  "--cond-history", "1,2"},
                 "--cond-history: 2 entries, expected one or one for each of the 1 conditionals");
}

TEST_F(Embedding, ANetworkNeedsTwoColumns) {
  expect_refused({"te", "network", "--data", "e.csv", "--columns", "x"},
                 "e.csv: 1 column, expected at least two");
}

}  // namespace
}  // namespace assay::program
