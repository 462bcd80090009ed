// A thin layer over SQLite's C interface: handles that close themselves, errors that name the file.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace polypath::store {

class Connection {
 public:
  /// Throws StoreError.
  Connection(const std::string& path, bool create);

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

  void execute(const std::string& sql) const;
  std::int64_t integer(
      const std::string& sql) const;  ///< first column of the first row, 0 when there is none
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }

  /// Throws StoreError for the last failed call, with a remedy that fits its code.
  [[noreturn]] void fail(int code) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql);

  Statement& bind(std::int64_t value);
  Statement& bind(std::uint64_t value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(std::string_view text);
  Statement& bind(std::span<const std::byte> bytes);

  /// True while there is a row.
  bool step();
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  std::uint64_t natural(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;
  std::span<const std::byte> bytes(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  const Connection& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int bound_ = 0;
};

/// Begins at once as a writer; rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(const Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN IMMEDIATE");
  }
  ~Transaction() {
    if (!done_) sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    connection_.execute("COMMIT");
    done_ = true;
  }

 private:
  const Connection& connection_;
  bool done_ = false;
};

}  // namespace polypath::store
