#include "tune/database.h"

#include <sqlite3.h>

#include <cassert>

#include "base/text.h"

namespace memside::tune {
namespace {

constexpr int application_id = 0x6D656D73;  // "mems", so that file(1) and we know the file
constexpr int patience_ms = 5000;           // while another process writes

// Version 1. A trial's status is one of trial_status_names.
constexpr const char* schema = R"sql(
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  shape TEXT NOT NULL, dtype TEXT NOT NULL, target TEXT NOT NULL, threads INTEGER NOT NULL,
  machine TEXT NOT NULL,
  UNIQUE (shape, dtype, target, threads, machine)
);
CREATE TABLE searches (
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES tasks (id),
  method TEXT NOT NULL, seed TEXT NOT NULL, plan INTEGER NOT NULL,
  program TEXT NOT NULL,
  exhaustive INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE trials (
  search INTEGER NOT NULL REFERENCES searches (id),
  number INTEGER NOT NULL,
  config TEXT NOT NULL,
  status TEXT NOT NULL,
  time_ns REAL,
  error TEXT NOT NULL,
  PRIMARY KEY (search, number),
  UNIQUE (search, config)
);
)sql";

TrialStatus status_of(const std::string& name) {
    for (std::size_t i = 0; i < trial_status_names.size(); ++i) {
        if (trial_status_names[i] == name) return static_cast<TrialStatus>(i);
    }
    return TrialStatus::refused;
}

}  // namespace

// A prepared statement. Errors of preparing show when it is stepped.
class Database::Statement {
  public:
    Statement(sqlite3* handle, const char* sql) {
        status_ = sqlite3_prepare_v2(handle, sql, -1, &statement_, nullptr);
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& bind(const std::string& text) {
        keep(sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                               SQLITE_TRANSIENT));
        return *this;
    }
    Statement& bind(std::int64_t number) {
        keep(sqlite3_bind_int64(statement_, ++bound_, number));
        return *this;
    }
    Statement& bind(std::optional<double> number) {
        keep(number ? sqlite3_bind_double(statement_, ++bound_, *number)
                    : sqlite3_bind_null(statement_, ++bound_));
        return *this;
    }

    // Whether there is a row; ok() says whether there was an error.
    bool step() {
        if (status_ == SQLITE_OK || status_ == SQLITE_ROW) status_ = sqlite3_step(statement_);
        return status_ == SQLITE_ROW;
    }
    bool ok() const { return status_ == SQLITE_ROW || status_ == SQLITE_DONE; }

    std::string text(int column) const {
        const auto* bytes = sqlite3_column_text(statement_, column);
        return bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
    }
    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    double number(int column) const { return sqlite3_column_double(statement_, column); }

  private:
    void keep(int status) {
        if (status_ == SQLITE_OK) status_ = status;
    }
    sqlite3_stmt* statement_ = nullptr;
    int status_ = SQLITE_OK;
    int bound_ = 0;
};

Error Database::failure() const {
    const int code = sqlite3_errcode(handle_);
    const bool foreign = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return {path_,
            foreign ? "is no database of tuning results, or it is damaged"
                    : fmt::format("SQLite: {}", sqlite3_errmsg(handle_)),
            foreign ? Error::Kind::bad_input : Error::Kind::environment};
}

Status Database::run(const std::string& sql) {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failure();
    }
    return {};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
    std::unique_ptr<Database> database(new Database(path));
    const int status = sqlite3_open_v2(path.c_str(), &database->handle_,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (status != SQLITE_OK) {
        return Error{path, fmt::format("cannot be opened: {}", sqlite3_errstr(status)),
                     Error::Kind::environment};
    }
    sqlite3_busy_timeout(database->handle_, patience_ms);
    MEMSIDE_CHECK(database->prepare_schema());
    // With a log, a trial costs no wait for the disk; after a loss of power the last ones may be
    // missing, never half there.
    MEMSIDE_CHECK(database->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"));
    return database;
}

Database::~Database() {
    sqlite3_close(handle_);
}

Status Database::prepare_schema() {
    // One writer looks and makes the tables; a second one waits and finds them.
    MEMSIDE_CHECK(run("BEGIN IMMEDIATE"));
    const auto number = [&](const char* sql) {
        Statement statement(handle_, sql);
        return statement.step() ? statement.integer(0) : std::int64_t{-1};
    };
    const std::int64_t version = number("PRAGMA user_version");
    const std::int64_t owner = number("PRAGMA application_id");
    if (version == 0 && owner == 0 && number("SELECT count(*) FROM sqlite_master") == 0) {
        MEMSIDE_CHECK(run(fmt::format("{} PRAGMA user_version = {}; PRAGMA application_id = {};",
                                      schema, schema_version, application_id)));
        return run("COMMIT");
    }
    MEMSIDE_CHECK(run("COMMIT"));
    if (owner != application_id) {
        return bad_input(path_, "is a database of another program; name another file");
    }
    if (version != schema_version) {
        return bad_input(path_, fmt::format("has schema version {}; this program reads version {}",
                                            version, schema_version));
    }
    return {};
}

Result<std::int64_t> Database::task_id(const Task& task) {
    const auto bound = [&](Statement& statement) -> Statement& {
        return statement.bind(conv::format_shape(task.shape))
            .bind(task.dtype)
            .bind(task.target)
            .bind(std::int64_t{task.threads})
            .bind(task.machine);
    };
    Statement add(handle_,
                  "INSERT OR IGNORE INTO tasks (shape, dtype, target, threads, machine) "
                  "VALUES (?, ?, ?, ?, ?)");
    bound(add).step();
    if (!add.ok()) return failure();
    Statement find(handle_,
                   "SELECT id FROM tasks WHERE shape = ? AND dtype = ? AND target = ? AND "
                   "threads = ? AND machine = ?");
    if (!bound(find).step()) return failure();
    return find.integer(0);
}

Result<std::int64_t> Database::begin(const Task& task, const SearchKey& key, bool resume) {
    MEMSIDE_TRY(const std::int64_t id, task_id(task));
    const std::string seed = fmt::format("{}", key.seed);  // SQLite's integers have a sign
    const auto plan = static_cast<std::int64_t>(key.plan);
    if (resume) {
        Statement find(handle_,
                       "SELECT id FROM searches WHERE task = ? AND method = ? AND seed = ? AND "
                       "plan = ? ORDER BY id DESC LIMIT 1");
        if (find.bind(id).bind(key.method).bind(seed).bind(plan).step()) return find.integer(0);
        if (!find.ok()) return failure();
    }
    Statement add(
        handle_, "INSERT INTO searches (task, method, seed, plan, program) VALUES (?, ?, ?, ?, ?)");
    add.bind(id).bind(key.method).bind(seed).bind(plan);
    add.bind(std::string("memside " MEMSIDE_VERSION)).step();
    if (!add.ok()) return failure();
    return std::int64_t{sqlite3_last_insert_rowid(handle_)};
}

Result<std::map<std::string, TrialResult>> Database::trials(std::int64_t search) {
    Statement read(handle_, "SELECT config, status, time_ns, error FROM trials WHERE search = ?");
    read.bind(search);
    std::map<std::string, TrialResult> all;
    while (read.step()) {
        all[read.text(0)] = {status_of(read.text(1)), read.number(2), read.text(3)};
    }
    if (!read.ok()) return failure();
    return all;
}

Status Database::add(std::int64_t search, std::size_t number, const std::string& config,
                     const TrialResult& result) {
    Statement add(handle_, "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)");
    add.bind(search).bind(static_cast<std::int64_t>(number)).bind(config);
    add.bind(std::string(trial_status_names[static_cast<std::size_t>(result.status)]));
    add.bind(result.ok() ? std::optional(result.time_ns) : std::nullopt).bind(result.error).step();
    if (!add.ok()) return failure();
    return {};
}

Status Database::mark_exhaustive(std::int64_t search) {
    Statement mark(handle_, "UPDATE searches SET exhaustive = 1 WHERE id = ?");
    mark.bind(search).step();
    if (!mark.ok()) return failure();
    return {};
}

Result<std::vector<Database::Best>> Database::best() {
    // SQLite gives the other columns of the row that has the minimum.
    Statement read(handle_,
                   "SELECT shape, dtype, target, threads, machine, config, min(time_ns) FROM tasks "
                   "JOIN searches ON task = tasks.id JOIN trials ON search = searches.id "
                   "WHERE status = 'ok' GROUP BY tasks.id ORDER BY tasks.id");
    std::vector<Best> list;
    while (read.step()) {
        Best best;
        MEMSIDE_TRY(best.task.shape, conv::parse_shape(read.text(0), path_));
        best.task.dtype = read.text(1);
        best.task.target = read.text(2);
        best.task.threads = static_cast<int>(read.integer(3));
        best.task.machine = read.text(4);
        best.config = read.text(5);
        best.time_ns = read.number(6);
        list.push_back(std::move(best));
    }
    if (!read.ok()) return failure();
    return list;
}

Result<std::optional<double>> Database::exhaustive_best_ns(const Task& task) {
    MEMSIDE_TRY(const std::int64_t id, task_id(task));
    Statement read(handle_,
                   "SELECT min(time_ns) FROM searches JOIN trials ON search = searches.id "
                   "WHERE task = ? AND exhaustive = 1 AND status = 'ok'");
    if (!read.bind(id).step()) return failure();
    const double time_ns = read.number(0);
    return time_ns > 0 ? std::optional(time_ns) : std::nullopt;
}

}  // namespace memside::tune
