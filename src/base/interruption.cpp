#include "base/interruption.h"

#include <unistd.h>

#include <atomic>
#include <cassert>
#include <csignal>
#include <mutex>

namespace memside {
namespace {

// Who may touch the list of doomed files. The handler can run on any thread, in the middle of
// anything, so it neither waits nor locks: it takes an idle state to dying, or leaves its signal in
// `waiting` for whoever is busy.
enum State : int { idle, busy, dying };
std::atomic<int> state{idle};
std::atomic<int> waiting{0};
static_assert(std::atomic<int>::is_always_lock_free);

std::mutex turn;  // of the threads that are Uninterrupted
DoomedFile* doomed = nullptr;

// Only async-signal-safe calls. Comes back from a handler, whose signal is blocked until it ends.
void die(int signal) {
    for (const DoomedFile* file = doomed; file != nullptr; file = file->next) ::unlink(file->path);
    std::signal(signal, SIG_DFL);
    ::raise(signal);
}

void on_interruption(int signal) {
    const int saved = errno;
    waiting = signal;
    int expected = idle;
    if (state.compare_exchange_strong(expected, dying)) die(signal);
    errno = saved;
}

}  // namespace

void handle_interruption() {
    for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = {};
        action.sa_handler = on_interruption;
        action.sa_flags = SA_RESTART;
        ::sigaction(signal, &action, nullptr);
    }
}

Uninterrupted::Uninterrupted() {
    turn.lock();
    int expected = idle;
    while (!state.compare_exchange_strong(expected, busy)) {
        // Another thread's handler is ending the process.
        ::pause();
        expected = idle;
    }
}

Uninterrupted::~Uninterrupted() {
    state = idle;
    // A signal that came meanwhile found the state busy, or finds it idle now: one of both acts.
    int expected = idle;
    if (waiting != 0 && state.compare_exchange_strong(expected, dying)) die(waiting);
    turn.unlock();
}

void doom(DoomedFile& file) {
    assert(state == busy);
    file.next = doomed;
    doomed = &file;
}

void spare(DoomedFile& file) {
    assert(state == busy);
    for (DoomedFile** link = &doomed; *link != nullptr; link = &(*link)->next) {
        if (*link != &file) continue;
        *link = file.next;
        return;
    }
}

}  // namespace memside
