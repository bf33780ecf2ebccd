#include "engine/shared_workers.h"

#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <ctime>
#include <new>

#include "kv/layout.h"

namespace memside::engine {
namespace {

// How often whoever waits looks whether the worker still lives.
constexpr long look_ns = 20'000'000;

std::uint32_t* word_of(std::atomic<std::uint32_t>& value) {
    static_assert(sizeof value == sizeof(std::uint32_t));
    return reinterpret_cast<std::uint32_t*>(&value);
}

// Returns when the value is another one, after look_ns, or for no reason. Between processes.
void wait_while(std::atomic<std::uint32_t>& value, std::uint32_t old) {
    const timespec time{0, look_ns};
    ::syscall(SYS_futex, word_of(value), FUTEX_WAIT, old, &time, nullptr, 0);
}

void set_and_wake(std::atomic<std::uint32_t>& value, std::uint32_t now) {
    value.store(now, std::memory_order_release);
    ::syscall(SYS_futex, word_of(value), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

// Followed by queries f32 [heads][head_dim], states f32 [kv_heads][rows x (2 + value_stride)],
// number of pages i64 [kv_heads] and the pages u32 [kv_heads][most_pages].
struct SharedWorkers::Mailbox {
    alignas(64) std::atomic<std::uint32_t> request{0};  // number of the last one
    alignas(64) std::atomic<std::uint32_t> reply{0};    // of the last one that is done
    std::int64_t layer = 0;
    std::int64_t last_page = 0;
    std::int64_t last_tokens = 0;  // of the last page

    float* values() { return reinterpret_cast<float*>(this + 1); }
};

std::int64_t SharedWorkers::most_pages() const {
    return kv::page_count(store_.shape().capacity_tokens, store_.shape().page_tokens);
}

std::int64_t SharedWorkers::box_bytes() const {
    const KvShape& shape = store_.shape();
    const std::int64_t values = query_values() + heads_ * (2 + shape.value_stride());
    const std::int64_t bytes = static_cast<std::int64_t>(sizeof(Mailbox)) + (values + 1) / 2 * 8 +
                               shape.kv_heads * (8 + most_pages() * 4);
    return (bytes + 4095) / 4096 * 4096;
}

SharedWorkers::Mailbox& SharedWorkers::box(int node) const {
    return *reinterpret_cast<Mailbox*>(boxes_.data() + node * box_bytes());
}

AttentionState SharedWorkers::state(Mailbox& box, int kv_head) const {
    const std::int64_t rows = group();
    float* memory =
        box.values() + query_values() + kv_head * rows * (2 + store_.shape().value_stride());
    return {memory, memory + rows, memory + 2 * rows};
}

namespace {

// The two parts of a mailbox behind its values.
struct Lists {
    std::int64_t* counts;
    std::uint32_t* pages;
};

Lists lists_of(float* values, std::int64_t count, int kv_heads) {
    auto* counts = reinterpret_cast<std::int64_t*>(values + (count + 1) / 2 * 2);
    return {counts, reinterpret_cast<std::uint32_t*>(counts + kv_heads)};
}

}  // namespace

Result<std::unique_ptr<SharedWorkers>> SharedWorkers::start(const KvStore& store, int heads,
                                                            const MemoryPlacement& placement) {
    assert(placement.count() == store.shape().memory_nodes);
    std::unique_ptr<SharedWorkers> workers(new SharedWorkers(store, heads));
    const int nodes = placement.count();
    MEMSIDE_TRY(workers->boxes_,
                HugeMemory::reserve(static_cast<std::size_t>(nodes * workers->box_bytes()), true));
    for (int node = 0; node < nodes; ++node) new (&workers->box(node)) Mailbox;
    const pid_t parent = ::getpid();
    for (int node = 0; node < nodes; ++node) {
        const pid_t process = ::fork();
        if (process < 0) {
            return Error{"", fmt::format("cannot start a worker: {}", std::strerror(errno)),
                         Error::Kind::environment};
        }
        if (process == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) std::_Exit(1);
            placement.start_thread(static_cast<unsigned>(node));
            workers->serve(node);
        }
        workers->processes_.push_back(process);
    }
    return workers;
}

SharedWorkers::~SharedWorkers() {
    for (const pid_t process : processes_) {
        if (process == 0) continue;
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
    }
}

void SharedWorkers::serve(int node) const {
    Mailbox& own = box(node);
    for (std::uint32_t seen = 0;;) {
        const std::uint32_t number = own.request.load(std::memory_order_acquire);
        if (number == seen) {
            wait_while(own.request, seen);
            continue;
        }
        seen = number;
        attend(own);
        set_and_wake(own.reply, number);
    }
}

void SharedWorkers::attend(Mailbox& box) const {
    const KvShape& shape = store_.shape();
    const auto layer = static_cast<int>(box.layer);
    const auto rows = static_cast<int>(group());
    const Lists lists = lists_of(box.values(), query_values() + heads_ * (2 + shape.value_stride()),
                                 shape.kv_heads);
    for (int head = 0; head < shape.kv_heads; ++head) {
        const AttentionState own = state(box, head);
        clear(own, rows, shape.value_stride());
        const std::uint32_t* pages = lists.pages + head * most_pages();
        for (std::int64_t i = 0; i < lists.counts[head]; ++i) {
            AttendPage job = page_job(store_, layer, pages[i], head);
            job.queries = box.values() + head * rows * shape.head_dim;
            job.rows = rows;
            job.last = pages[i] == box.last_page ? box.last_tokens : shape.page_tokens;
            job.state = own;
            attention_variant().attend(job);
        }
    }
}

Status SharedWorkers::wait_for(int node, std::uint32_t number) {
    Mailbox& own = box(node);
    pid_t& process = processes_[static_cast<std::size_t>(node)];
    int status = 0;
    for (;;) {
        const std::uint32_t reply = own.reply.load(std::memory_order_acquire);
        if (reply == number) return {};
        // Who has ended may have replied before.
        if (process == 0 || ::waitpid(process, &status, WNOHANG) == process) {
            process = 0;
            if (own.reply.load(std::memory_order_acquire) == number) return {};
            return Error{"",
                         fmt::format("the worker of memory node {} is no more{}", node,
                                     WIFSIGNALED(status)
                                         ? fmt::format(", killed by signal {}", WTERMSIG(status))
                                         : ""),
                         Error::Kind::environment};
        }
        wait_while(own.reply, reply);
    }
}

Status SharedWorkers::run(int layer, const std::vector<kv::PageList>& pages, std::int64_t tokens,
                          const float* queries, float* out) {
    const KvShape& shape = store_.shape();
    assert(static_cast<int>(pages.size()) == shape.kv_heads);
    ++number_;
    const auto nodes = static_cast<int>(processes_.size());
    for (int node = 0; node < nodes; ++node) {
        Mailbox& own = box(node);
        own.layer = layer;
        own.last_page = (tokens - 1) / shape.page_tokens;
        own.last_tokens = tokens - own.last_page * shape.page_tokens;
        std::copy(queries, queries + query_values(), own.values());
        const Lists lists = lists_of(
            own.values(), query_values() + heads_ * (2 + shape.value_stride()), shape.kv_heads);
        for (int head = 0; head < shape.kv_heads; ++head) {
            std::int64_t& count = lists.counts[head] = 0;
            for (const kv::PageIndex page : pages[static_cast<std::size_t>(head)]) {
                if (store_.node_of(layer, page) != node) continue;
                lists.pages[head * most_pages() + count++] = static_cast<std::uint32_t>(page);
            }
        }
        set_and_wake(own.request, number_);
    }
    // All are waited for, so that none writes into a later request.
    Status result;
    for (int node = 0; node < nodes; ++node) {
        const Status done = wait_for(node, number_);
        if (result.ok()) result = done;
    }
    MEMSIDE_CHECK(result);
    const auto rows = static_cast<int>(group());
    for (int head = 0; head < shape.kv_heads; ++head) {
        const AttentionState all = state(box(0), head);
        for (int node = 1; node < nodes; ++node) {
            merge(state(box(node), head), rows, shape.value_stride(), all);
        }
        write_attention(all, rows, shape.value_stride(), shape.head_dim,
                        out + head * rows * shape.head_dim);
    }
    return {};
}

}  // namespace memside::engine
