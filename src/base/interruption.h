// What an interrupted run leaves behind: nothing. SIGINT, SIGTERM and SIGHUP remove the files that
// are registered here before they end the process; a closed pipe or a file size limit is a failing
// write like any other.
#pragma once

namespace memside {

// Ignores SIGPIPE and SIGXFSZ, so that writes fail with EPIPE and EFBIG, and handles SIGINT,
// SIGTERM and SIGHUP unless the parent had them ignored (nohup). For main, once; a library user
// who does not call it keeps the signals as they are.
void handle_interruption();

// While one lives, an interruption waits; then it takes effect. For steps that must be whole: to
// create a file and register it, to put files into place. Threads take turns; must not be nested.
class Uninterrupted {
  public:
    Uninterrupted();
    ~Uninterrupted();
    Uninterrupted(const Uninterrupted&) = delete;
    Uninterrupted& operator=(const Uninterrupted&) = delete;
};

// A path that an interruption unlinks, while registered. Register and forget only while an
// Uninterrupted lives; must not be moved, nor `path` freed, in between.
struct DoomedFile {
    const char* path = nullptr;
    DoomedFile* next = nullptr;
};
void doom(DoomedFile& file);
void spare(DoomedFile& file);

}  // namespace memside
