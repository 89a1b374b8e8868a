#pragma once

#include <soci/soci.h>

#include <span>
#include <string>
#include <vector>

/// The tables of the store and how they came to be: internal to the store.
///
/// A migration that has been released is never edited; a change of the schema is a new one at the end. The
/// SQL keeps to what SQLite and PostgreSQL share.
namespace assay::reports::schema {

struct Migration {
  int version = 0;  // 1, 2, 3, ... without a gap
  std::vector<std::string> statements;
};

std::span<const Migration> migrations();

/// Brings the database to the last version of the list, in one transaction. Throws StoreError where the
/// database is newer than the list or holds the tables of something else. `where` names it in the message.
void migrate(soci::session& session, std::span<const Migration> list, const std::string& where);

/// A write transaction: it takes the writer's lock at once, because one that began as a reader could not
/// become a writer once another process has written (in PostgreSQL an advisory lock, so that numbers are
/// given out in one order). Rolled back unless committed.
class WriteTransaction {
 public:
  explicit WriteTransaction(soci::session& session);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;

  void commit();

 private:
  soci::session& session_;
  bool open_ = true;
};

}  // namespace assay::reports::schema
