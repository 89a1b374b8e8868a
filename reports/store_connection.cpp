#include "reports/store_connection.hpp"

#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

namespace assay::reports {
namespace {

namespace fs = std::filesystem;

constexpr int busy_timeout_s = 30;

bool is_postgresql(const std::string& url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

std::string sqlite_path(const std::string& url) {
  if (url.starts_with("sqlite:")) {
    std::string path = url.substr(7);
    if (path.starts_with("//")) path.erase(0, 2);
    return path;
  }
  if (const auto scheme = url.find("://"); scheme != std::string::npos)
    throw StoreError(url + ": unknown kind of store, expected a path, sqlite:PATH or postgresql://...", true);
  return url;
}

std::string checked_path(const std::string& url, OpenMode mode) {
  const std::string path = sqlite_path(url);
  if (path.empty())
    throw StoreError("no store named, expected a path, sqlite:PATH or postgresql://...", true);
  // SOCI takes the path between quotes and has no way to write a quote itself.
  if (path.find('"') != std::string::npos)
    throw StoreError(path + ": a store's path must not contain a double quote", true);
  if (path == ":memory:") return path;
  if (fs::is_directory(path)) throw StoreError(path + ": a directory, expected a store", true);
  if (mode == OpenMode::existing && !fs::exists(path))
    throw StoreError(path + ": no such store, expected one that an earlier run has written", true);
  const auto folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder))
    throw StoreError(path + ": the folder " + folder.string() + " does not exist", true);
  return path.starts_with("file:") ? "./" + path : path;  // which SQLite would take for a URI
}

/// Readers and one writer at a time then do not block each other. Taking the log into use needs the file
/// alone for a moment and does not wait by itself.
void use_write_ahead_log(soci::session& session) {
  for (int attempt = 0;; ++attempt) {
    try {
      session << "PRAGMA journal_mode = WAL";
      session << "PRAGMA foreign_keys = ON";
      return;
    } catch (const soci::soci_error& error) {
      const bool locked = std::string(error.what()).find("locked") != std::string::npos;
      if (!locked || attempt == 100) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

void open_sqlite(soci::session& session, const std::string& name) {
  session.open(soci::sqlite3, "dbname=\"" + name + "\" timeout=" + std::to_string(busy_timeout_s));
}

/// Whether the file can be read and nothing can be written beside it, as on a read-only medium.
bool is_only_readable(const std::string& path) {
  const fs::path folder = fs::absolute(path).parent_path();
  return access(path.c_str(), R_OK) == 0 && access(folder.c_str(), W_OK) != 0;
}

/// SQLite's name for a file that nobody can change, and which therefore needs no log beside it.
std::string immutable_uri(const std::string& path) {
  constexpr char hex[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char letter : fs::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) || letter == '/' || letter == '.' || letter == '-' || letter == '_')
      uri += letter;
    else
      uri += {'%', hex[byte >> 4], hex[byte & 15]};
  }
  return uri + "?immutable=1";
}

void connect_sqlite(soci::session& session, const std::string& path) {
  try {
    open_sqlite(session, path);
    use_write_ahead_log(session);
    // The log is looked at by the first query, not before.
    session << "SELECT COUNT(*) FROM sqlite_master";
  } catch (const soci::soci_error&) {
    if (path == ":memory:" || !is_only_readable(path)) throw;
    std::error_code missing;
    if (const auto log = fs::file_size(path + "-wal", missing); !missing && log > 0)
      throw StoreError(
          path +
              ": lies where nothing can be written, and its newest runs are still in the log beside it: "
              "copy both to a folder that can be written",
          true);
    session.close();
    open_sqlite(session, immutable_uri(path));
  }
}

void connect_postgresql(soci::session& session, std::string url) {
  load_postgresql_backend();
  // libpq itself would wait for a host that does not answer as long as the network does.
  if (url.find("connect_timeout=") == std::string::npos)
    url +=
        (url.find('?') == std::string::npos ? "?connect_timeout=" : "&connect_timeout=") + std::string("10");
  try {
    session.open("postgresql", url);
  } catch (const soci::soci_error& error) {
    std::string message = error.what();
    if (const auto first = message.find('\n'); first != std::string::npos) message.erase(0, first + 1);
    if (const auto hint = message.find('\n'); hint != std::string::npos) message.erase(hint);
    throw StoreError(shown_store_url(url.substr(0, url.find('?'))) + ": " + message, true);
  }
  session << "SET client_encoding = 'UTF8'";
  session << "SET client_min_messages = 'warning'";
  session << "SET lock_timeout = '" + std::to_string(busy_timeout_s) + "s'";
  // A writer that vanished in the middle of a transaction must not hold up the others for as long as its
  // connection.
  session << "SET idle_in_transaction_session_timeout = '60s'";
}

}  // namespace

std::string shown_store_url(const std::string& url) {
  if (!is_postgresql(url)) return url;
  const auto begin = url.find("://") + 3;
  std::string shown = url;
  // Of what follows the host, only the database's name is of interest; options may hold a password.
  if (const auto options = shown.find('?'); options != std::string::npos) shown.erase(options);
  const auto end = std::min(shown.find('/', begin), shown.size());
  const auto at = shown.rfind('@', end);
  if (at == std::string::npos || at < begin) return shown;
  const auto colon = shown.find(':', begin);
  if (colon != std::string::npos && colon < at) shown.erase(colon, at - colon);
  return shown;
}

bool is_store_url(const std::string& store) {
  return is_postgresql(store);
}

void load_postgresql_backend(const std::string& name) {
  const std::vector<std::string> loaded = soci::dynamic_backends::list_all();
  if (std::find(loaded.begin(), loaded.end(), name) != loaded.end()) return;
  try {
    soci::dynamic_backends::register_backend(name);
  } catch (const std::exception&) {
    throw StoreError(
        name +
            ": SOCI's backend for this kind of store is not installed here (Debian: libsoci-dev; Ubuntu: "
            "libsoci-postgresql4.0)",
        true);
  }
}

void connect(soci::session& session, const std::string& url, OpenMode mode) {
  if (is_postgresql(url))
    connect_postgresql(session, url);
  else
    connect_sqlite(session, checked_path(url, mode));
}

void rethrow_as_store_error(const std::string& url, const std::exception& error) {
  std::string message = error.what();
  // SOCI adds the statement and its parameters, which may be a whole record.
  if (const auto context = message.find(" while "); context != std::string::npos) message.erase(context);
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  const auto says = [&](const char* text) { return message.find(text) != std::string::npos; };
  if (says("not a database")) throw StoreError(url + ": not a store of runs (" + message + ")", true);
  if (says("malformed") || says("[json.exception"))
    throw StoreError(url + ": the store is damaged (" + message +
                         "); nothing was changed, and sqlite3's .recover saves what can still be read",
                     true);
  if (says("readonly") || says("read-only") || says("permission denied"))
    throw StoreError(url + ": the store can be read here, but not written (" + message + ")", false);
  if (says("is full") || says("disk I/O error") || says("No space left"))
    throw StoreError(url + ": cannot be written (" + message + "); what was stored before is kept", false);
  if (says("locked") || says("lock timeout"))
    throw StoreError(url + ": another process has kept the store for " + std::to_string(busy_timeout_s) +
                         " s (" + message + ")",
                     false);
  throw StoreError(url + ": " + message, false);
}

std::string column_text(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char letter) { return letter > 0; })) return text;
  using nlohmann::json;
  std::string valid =
      json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  for (auto zero = valid.find('\0'); zero != std::string::npos; zero = valid.find('\0', zero))
    valid.replace(zero, 1, "\xEF\xBF\xBD");
  return valid;
}

}  // namespace assay::reports
