import Glibc
import LivepatchBuild

/// Limits of this process under which the program can't work. It would not fail in an orderly way: the runtime waits for ever for a thread that the
/// system refuses, and a lack of memory ends the process in the middle of a write.
enum ProcessLimits {
    /// The address space that a build takes, in bytes: half a gibibyte, and for each thread its stack and its part of the heap (measured: 554 MiB
    /// with two processors).
    static func addressSpace(processors: Int) -> UInt64 { UInt64(512 + 80 * processors) << 20 }

    /// The memory that the program writes to, in bytes, of which the threads' stacks are a part (measured: it works with 80 MB and two processors).
    static func data(processors: Int) -> UInt64 { UInt64(128 + 32 * processors) << 20 }

    /// The files and pipes that may be open at a time: some for each command that runs, and the program's own.
    static func files(processors: Int) -> UInt64 { UInt64(min(64 + 8 * processors, 512)) }

    /// The threads of the program and the processes of a build: each command may be a shell, a launcher, a compiler and its parts.
    static func threads(processors: Int) -> Int { 16 + 2 * processors }

    /// - Parameter processors: how many threads will work at a time.
    /// - Throws: `UsageError` that names the limit.
    static func check(processors: Int) throws(UsageError) {
        let needed = addressSpace(processors: processors)
        if let limit = limit(of: __rlimit_resource_t(RLIMIT_AS.rawValue)), limit < needed {
            throw UsageError(
                "this process may use only \(limit >> 20) MiB of address space, and the program needs \(needed >> 20) MiB",
                help: "raise the limit: ulimit -v \(needed >> 10)")
        }
        let data = data(processors: processors)
        if let limit = limit(of: __rlimit_resource_t(RLIMIT_DATA.rawValue)), limit < data {
            throw UsageError(
                "this process may use only \(limit >> 20) MiB of memory for data, and the program needs \(data >> 20) MiB",
                help: "raise the limit: ulimit -d \(data >> 10)")
        }
        let files = files(processors: processors)
        if let limit = limit(of: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)), limit < files {
            throw UsageError("this process may open only \(limit) files, and the program needs \(files)", help: "raise the limit: ulimit -n \(files)")
        }
        let threads = threads(processors: processors)
        guard canMake(threads: threads) else {
            throw UsageError(
                "the system refuses \(threads) threads to this process", help: "raise the limit of processes: ulimit -u, or pids.max of the container")
        }
    }

    /// A soft limit; nil if there is none, which RLIM_INFINITY says: the largest number.
    private static func limit(of resource: __rlimit_resource_t) -> UInt64? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur != rlim_t.max else { return nil }
        return UInt64(limit.rlim_cur)
    }

    /// Whether that many threads can exist at a time. They wait for the end of a pipe, which comes when it is closed.
    private static func canMake(threads count: Int) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        let waiting = ends[0]
        var threads: [pthread_t] = []
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        // They do nothing, so they need none of the eight megabytes that are usual.
        pthread_attr_setstacksize(&attributes, 64 << 10)
        defer {
            pthread_attr_destroy(&attributes)
            close(ends[1])
            for thread in threads { pthread_join(thread, nil) }
            close(waiting)
        }
        for _ in 0..<count {
            var thread = pthread_t()
            let made = pthread_create(
                &thread, &attributes,
                { argument in
                    var byte: UInt8 = 0
                    _ = read(Int32(Int(bitPattern: argument)), &byte, 1)
                    return nil
                }, UnsafeMutableRawPointer(bitPattern: Int(waiting)))
            guard made == 0 else { return false }
            threads.append(thread)
        }
        return true
    }
}
