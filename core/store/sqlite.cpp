#include "store/sqlite.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/store.h"

namespace polypath::store {
namespace {

constexpr int kBusyMilliseconds = 10'000;
constexpr int kLongestValue = 1'100'000'000;  // a trace of 1 GiB and its head

/// One line, whatever names a hostile file holds.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  if (text.size() > 200) text = text.substr(0, 200) + "...";
  return text;
}

std::string_view remedy(int code) {
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
      return "it is no database; name another file with --db";
    case SQLITE_CORRUPT:
      return "the database is damaged; restore it from a copy or name another file with --db";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds it; wait for it to end";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "it cannot be written; check permissions or name another file with --db";
    case SQLITE_CANTOPEN:
      return "it cannot be opened; check that the directory exists and that you may write there";
    case SQLITE_FULL:
      return "the disk is full; free some space";
    case SQLITE_IOERR:
      return "the disk reports an error; check it and free some space";
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return "a value is too large; the database is damaged or the run too long";
    default:
      return "restore it from a copy or name another file with --db";
  }
}

}  // namespace

Connection::Connection(const std::string& path, bool create) : path_(path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  // The file may come from anyone: nothing in its schema runs, and damaged pages are noticed when they are
  // read.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kLongestValue);
  execute("PRAGMA cell_size_check = ON");
  execute("PRAGMA foreign_keys = ON");
}

void Connection::fail(int code) const {
  const char* message = handle_ != nullptr ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  throw StoreError(path_, fmt::format("{} ({})", remedy(code), one_line(message)));
}

void Connection::fail(const std::string& what) const { throw StoreError(path_, one_line(what)); }

void Connection::execute(const std::string& sql) const {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Connection::integer(const std::string& sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

Statement::Statement(const Connection& connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* handle = nullptr;
  const int code =
      sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) connection.fail(code);
}

Statement& Statement::bind(std::int64_t value) {
  const int code = sqlite3_bind_int64(handle_.get(), ++bound_, value);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

// Texts and bytes are not copied: they outlive the statement's execution at every call.
Statement& Statement::bind(std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";  // a null pointer would bind NULL
  const int code =
      sqlite3_bind_text64(handle_.get(), ++bound_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

Statement& Statement::bind(std::span<const std::byte> bytes) {
  const int code = sqlite3_bind_blob64(handle_.get(), ++bound_, bytes.data(), bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) connection_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) connection_.fail(code);
  return false;
}

std::string Statement::text(int column) const {
  const auto* data = sqlite3_column_text(handle_.get(), column);
  if (data == nullptr) return "";
  return {reinterpret_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::span<const std::byte> Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(handle_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const std::byte*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

}  // namespace polypath::store
