#include "tune/database.h"

#include <sqlite3.h>
#include <sys/wait.h>

#include "cli/process.h"

namespace memside::tune {
namespace {

Task task(const std::string& shape = "1,64,56,56,64,3,3,1,1", int threads = 1) {
    return {*conv::parse_shape(shape, ""), "int8", "x86-vnni", threads, "a machine"};
}

std::unique_ptr<Database> opened(const std::string& path) {
    auto database = Database::open(path);
    EXPECT_TRUE(database.ok()) << database.error().message();
    return std::move(*database);
}

TEST(Database, gives_back_what_was_stored) {
    const Workplace place;
    const std::string path = place.file("t.sqlite");
    std::int64_t search = 0;
    {
        const auto database = opened(path);
        search = *database->begin(task(), {"distinct", 7, 64}, false);
        ASSERT_TRUE(database->add(search, 1, "a=1", {TrialStatus::ok, 1234.5, ""}).ok());
        ASSERT_TRUE(database->add(search, 2, "a=2", failed(TrialStatus::crashed, "it's 'x'")).ok());
    }
    const auto database = opened(path);
    const auto trials = database->trials(search);
    ASSERT_TRUE(trials.ok());
    ASSERT_EQ(trials->size(), 2);
    EXPECT_EQ(trials->at("a=1").time_ns, 1234.5);
    EXPECT_TRUE(trials->at("a=1").ok());
    EXPECT_EQ(trials->at("a=2").status, TrialStatus::crashed);
    EXPECT_EQ(trials->at("a=2").error, "it's 'x'");
    EXPECT_EQ(trials->at("a=2").time_ns, 0);
}

TEST(Database, resumes_the_same_search_of_the_same_task_and_no_other) {
    const Workplace place;
    const auto database = opened(place.file("t.sqlite"));
    const SearchKey key{"distinct", UINT64_MAX, 64};
    const std::int64_t first = *database->begin(task(), key, true);
    EXPECT_EQ(*database->begin(task(), key, true), first);
    EXPECT_NE(*database->begin(task(), {"distinct", 1, 64}, true), first);
    EXPECT_NE(*database->begin(task(), {"distinct", UINT64_MAX, 16}, true), first);
    EXPECT_NE(*database->begin(task(), {"annealing", UINT64_MAX, 64}, true), first);
    EXPECT_NE(*database->begin(task("1,64,56,56,64,3,3,2,1"), key, true), first);
    EXPECT_NE(*database->begin(task("1,64,56,56,64,3,3,1,1", 2), key, true), first);
    const std::int64_t again = *database->begin(task(), key, false);
    EXPECT_NE(again, first);
    EXPECT_EQ(*database->begin(task(), key, true), again);
}

TEST(Database, knows_the_best_of_every_task) {
    const Workplace place;
    const auto database = opened(place.file("t.sqlite"));
    const std::int64_t one = *database->begin(task(), {"random", 1, 64}, false);
    const std::int64_t two = *database->begin(task(), {"random", 2, 64}, false);
    const std::int64_t other = *database->begin(task("1,8,8,8,8,1,1,1,0"), {"grid", 1, 64}, false);
    ASSERT_TRUE(database->add(one, 1, "a=1", {TrialStatus::ok, 50, ""}).ok());
    ASSERT_TRUE(database->add(one, 2, "a=2", {TrialStatus::ok, 30, ""}).ok());
    ASSERT_TRUE(database->add(two, 1, "a=3", {TrialStatus::ok, 40, ""}).ok());
    ASSERT_TRUE(database->add(two, 2, "a=4", failed(TrialStatus::wrong, "differs")).ok());
    ASSERT_TRUE(database->add(other, 1, "b=1", {TrialStatus::ok, 9, ""}).ok());
    const auto best = database->best();
    ASSERT_TRUE(best.ok());
    ASSERT_EQ(best->size(), 2);
    EXPECT_EQ(best->at(0).config, "a=2");
    EXPECT_EQ(best->at(0).time_ns, 30);
    EXPECT_EQ(best->at(0).task.shape, task().shape);
    EXPECT_EQ(best->at(0).task.machine, "a machine");
    EXPECT_EQ(best->at(1).config, "b=1");
    EXPECT_EQ(*database->exhaustive_best_ns(task()), std::nullopt);
    ASSERT_TRUE(database->mark_exhaustive(two).ok());
    EXPECT_EQ(*database->exhaustive_best_ns(task()), 40);
}

TEST(Database, a_process_that_is_killed_keeps_the_trials_that_it_stored) {
    const Workplace place;
    const std::string path = place.file("t.sqlite");
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t writer = ::fork();
    if (writer == 0) {
        const auto database = opened(path);
        const std::int64_t search = *database->begin(task(), {"random", 1, 64}, false);
        for (std::size_t n = 1;; ++n) {
            if (!database->add(search, n, fmt::format("a={}", n), {TrialStatus::ok, 1, ""}).ok()) {
                ::_exit(1);
            }
            if (::write(ends[1], "t", 1) != 1) ::_exit(2);
        }
    }
    std::size_t told = 0;
    char byte = 0;
    while (told < 20 && ::read(ends[0], &byte, 1) == 1) ++told;
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_EQ(told, 20);
    const auto database = opened(path);
    const auto trials = database->trials(*database->begin(task(), {"random", 1, 64}, true));
    ASSERT_TRUE(trials.ok());
    for (std::size_t n = 1; n <= told; ++n) EXPECT_TRUE(trials->contains(fmt::format("a={}", n)));
}

TEST(Database, a_file_that_is_none_of_ours_is_left_alone) {
    const Workplace place;
    const std::string text = place.write("notes.txt", std::string(2000, 'x'));
    const auto notes = Database::open(text);
    ASSERT_FALSE(notes.ok());
    EXPECT_EQ(notes.error().exit_status(), 2);
    EXPECT_THAT(notes.error().message(), testing::HasSubstr("is no database of tuning results"));
    EXPECT_EQ(slurp(text), std::string(2000, 'x'));

    const std::string foreign = place.file("other.sqlite");
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(foreign.c_str(), &handle), SQLITE_OK);
    sqlite3_exec(handle, "CREATE TABLE photos (id)", nullptr, nullptr, nullptr);
    sqlite3_close(handle);
    EXPECT_THAT(Database::open(foreign).error().message(),
                testing::HasSubstr("is a database of another program"));
    EXPECT_FALSE(Database::open(place.file("no/such/folder/t.sqlite")).ok());
}

TEST(Database, a_later_schema_is_refused) {
    const Workplace place;
    const std::string path = place.file("t.sqlite");
    opened(path).reset();
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    sqlite3_exec(handle, "PRAGMA user_version = 2", nullptr, nullptr, nullptr);
    sqlite3_close(handle);
    EXPECT_THAT(Database::open(path).error().message(),
                testing::EndsWith("has schema version 2; this program reads version 1"));
}

}  // namespace
}  // namespace memside::tune
