#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "reports/store_connection.hpp"
#include "reports/test_store.hpp"

/// Stores that cannot be written, read or reached: one line, and what was stored is still there.
namespace assay::reports {
namespace {

using test::error_of;
using test::stored;

/// Runs `work` in a process that has the rights of nobody in particular, whoever runs the tests. Gives its
/// text.
std::string as_nobody(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    std::string text = "setuid failed";
    if (getuid() != 0 || (setgid(nobody) == 0 && setuid(nobody) == 0)) text = work();
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "the process failed: " + text;
}

/// How many runs a reader finds, or what the error says.
std::string runs_found(const std::string& file) {
  try {
    return std::to_string(Store::open(file, OpenMode::existing).runs().size()) + " runs";
  } catch (const StoreError& error) {
    return error.what();
  }
}

std::string result_of_writing(const std::string& file) {
  try {
    Store store = Store::open(file);
    stored(store, test::run());
    return "written";
  } catch (const StoreError& error) {
    return std::string(error.bad_input() ? "bad input: " : "") + error.what();
  }
}

TEST(StoreFailure, OnAReadOnlyMediumIsReadAndNotWritten) {
  const test::Folder folder;
  const std::string file = folder.file("a b%20c.sqlite");
  {
    Store store = Store::open(file);
    stored(store, test::run(), {test::benchmark("n=1", 1.0)});
  }
  ASSERT_EQ(chmod(file.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  EXPECT_EQ(as_nobody([&] { return runs_found(file); }), "1 runs");
  const std::string refused = as_nobody([&] { return result_of_writing(file); });
  EXPECT_NE(refused.find("can be read here, but not written"), std::string::npos) << refused;
  EXPECT_EQ(std::count(refused.begin(), refused.end(), '\n'), 0) << refused;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(runs_found(file), "1 runs");
}

TEST(StoreFailure, AReadOnlyFileInAFolderOfOthersIsRead) {
  const test::Folder folder;
  const std::string file = folder.file("s.sqlite");
  {
    Store store = Store::open(file);
    stored(store, test::run());
    // A writer that died: its run is still marked as running, and a reader cannot change that.
    reports::Run killed = test::run();
    store.begin_run(killed);
    soci::session session(soci::sqlite3, file);
    session << "UPDATE run SET owner = 'gone' WHERE state = 'running'";
  }
  ASSERT_EQ(chmod(file.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  EXPECT_EQ(as_nobody([&] { return runs_found(file); }), "2 runs");
}

TEST(StoreFailure, OnAReadOnlyMediumWithAnUnfinishedLogSaysSo) {
  const test::Folder folder;
  const std::string file = folder.file("s.sqlite");
  const pid_t child = fork();
  if (child == 0) {
    Store store = Store::open(file);
    stored(store, test::run());
    kill(getpid(), SIGKILL);  // the log is left beside the file
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_GT(std::filesystem::file_size(file + "-wal"), 0u);
  std::filesystem::remove(file + "-shm");
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  const std::string told = as_nobody([&] { return runs_found(file); });
  EXPECT_NE(told.find("copy both"), std::string::npos) << told;
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(runs_found(file), "1 runs");  // nothing was lost
}

TEST(StoreFailure, ADamagedFileIsRefusedAndNotTouched) {
  const test::Folder folder;
  const std::string file = folder.file("s.sqlite");
  {
    Store store = Store::open(file);
    for (int i = 0; i < 20; ++i) stored(store, test::run(), {test::benchmark("n=1", 1.0)});
  }
  const auto whole = std::filesystem::file_size(file);
  ASSERT_GT(whole, 3u * 4096);
  {
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(4096);
    const std::string rubbish(static_cast<std::size_t>(whole) - 4096, '\x5a');
    bytes.write(rubbish.data(), static_cast<std::streamsize>(rubbish.size()));
  }
  const StoreError damaged = error_of([&] { Store::open(file).runs(); });
  EXPECT_TRUE(damaged.bad_input());
  EXPECT_NE(std::string(damaged.what()).find("damaged"), std::string::npos) << damaged.what();
  EXPECT_EQ(std::string(damaged.what()).find('\n'), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(file), whole);

  // A file that was cut short, as by an incomplete copy.
  std::filesystem::resize_file(file, 2 * 4096);
  const StoreError cut = error_of([&] { Store::open(file).runs(); });
  EXPECT_NE(std::string(cut.what()).find("damaged"), std::string::npos) << cut.what();
}

TEST(StoreFailure, ARecordThatIsNoJsonIsCalledDamaged) {
  const test::Folder folder;
  const std::string file = folder.file("s.sqlite");
  {
    Store store = Store::open(file);
    stored(store, test::run());
  }
  {
    soci::session session(soci::sqlite3, file);
    session << "UPDATE run SET body = '{\"id\": '";
  }
  const StoreError error = error_of([&] { Store::open(file).runs(); });
  EXPECT_TRUE(error.bad_input());
  EXPECT_NE(std::string(error.what()).find("damaged"), std::string::npos) << error.what();
}

/// The batch that did not fit is lost and reported; everything before it is still there, and the store goes
/// on once there is room.
TEST(StoreFailure, AFullDiskLosesOnlyTheBatchAtHand) {
  const test::Folder folder;
  const std::string file = folder.file("s.sqlite");
  const reports::Run run = test::run();
  {
    Store store = Store::open(file);
    store.begin_run(run);
    const std::vector<Check> checks{test::check("kept")};
    store.append(run.id, checks);
  }
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const auto now = std::filesystem::file_size(file);
    const rlimit limit{now + 40000, now + 40000};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string text = "written";
    try {
      Store store = Store::open(file);
      std::vector<Check> many(2000, test::check("too much"));
      store.append(run.id, many);
    } catch (const StoreError& error) {
      text = error.what();
    }
    _exit(write(ends[1], text.data(), text.size()) > 0 ? 0 : 1);
  }
  close(ends[1]);
  char buffer[1000] = {};
  ASSERT_GT(read(ends[0], buffer, sizeof buffer - 1), 0);
  close(ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  const std::string message = buffer;
  EXPECT_NE(message.find("cannot be written"), std::string::npos) << message;
  EXPECT_NE(message.find("what was stored before is kept"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  Store store = Store::open(file);
  EXPECT_EQ(store.load(run.id)->checks.size(), 1u);
  const std::vector<Check> more{test::check("again")};
  store.append(run.id, more);
  EXPECT_EQ(store.load(run.id)->checks.size(), 2u);
}

TEST(StoreUrl, HidesThePassword) {
  EXPECT_EQ(shown_store_url("postgresql://u:se:cr@et@host:5/db?sslmode=require&password=x"),
            "postgresql://u@host:5/db");
  EXPECT_EQ(shown_store_url("postgres://host"), "postgres://host");
  EXPECT_EQ(shown_store_url("postgresql://:pw@/db"), "postgresql://@/db");
  EXPECT_EQ(shown_store_url("a:b@c/d.sqlite"), "a:b@c/d.sqlite");
}

TEST(StoreUrl, AServerThatCannotBeReachedIsOneLine) {
  const StoreError error = error_of([] { Store::open("postgresql://u:secret@localhost:1/db"); });
  const std::string text = error.what();
  EXPECT_TRUE(error.bad_input());
  EXPECT_TRUE(text.starts_with("postgres")) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

TEST(StoreUrl, ABackendThatIsNotInstalledIsOneLine) {
  const StoreError error = error_of([] { load_postgresql_backend("no_such_kind"); });
  EXPECT_TRUE(error.bad_input());
  EXPECT_NE(std::string(error.what()).find("not installed"), std::string::npos) << error.what();
  EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
}

}  // namespace
}  // namespace assay::reports
