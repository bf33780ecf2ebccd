#include "engine/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace memside::engine {

Result<MappedFile> MappedFile::open(const std::string& path) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return bad_input(path, errno == ENOENT
                                   ? std::string("no such file")
                                   : fmt::format("cannot open: {}", std::strerror(errno)));
    }
    struct stat status{};
    MappedFile file;
    std::string problem;
    if (::fstat(descriptor, &status) != 0) {
        problem = fmt::format("cannot read: {}", std::strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        problem = "is not a regular file";
    } else if (status.st_size > 0) {
        const auto size = static_cast<std::size_t>(status.st_size);
        void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapped == MAP_FAILED) {
            problem = fmt::format("cannot map: {}", std::strerror(errno));
        } else {
            file.data_ = static_cast<const std::uint8_t*>(mapped);
            file.size_ = size;
            file.descriptor_ = descriptor;
        }
    }
    if (file.descriptor_ < 0) ::close(descriptor);
    if (!problem.empty()) return bad_input(path, problem);
    return file;
}

MappedFile::~MappedFile() {
    if (data_ == nullptr) return;
    ::munmap(const_cast<std::uint8_t*>(data_), size_);
    ::close(descriptor_);
}

}  // namespace memside::engine
