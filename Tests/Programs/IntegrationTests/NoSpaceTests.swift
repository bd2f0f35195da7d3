import SystemPackage
import TestTools
import Testing
import WorkFiles

/// A full device: said in one line, and no payload that is cut short. Each test runs on a small file system of its own.
@Suite struct NoSpaceTests {
    /// One run with `device` on a file system of so many KiB; what was in it at the end.
    private func run(
        kibibytes: Int, device: FilePath, _ arguments: [String]
    ) async throws -> (ending: Program.Ending, files: [String], payload: [UInt8]?) {
        let kept = FilePath("\(device).kept")
        try WorkFiles.remove(kept)
        let script = """
            mount -t tmpfs -o size=\(kibibytes)k tmpfs '\(device)' || exit 99
            "$@"; code=$?
            cp -R '\(device)' '\(kept)'
            exit $code
            """
        let ending = try await Program.run(inOwnNamespace: script, arguments)
        var files: [String] = []
        var payload: [UInt8]?
        try WorkFiles.walk(kept) { path, kind in
            if kind != .folder { files.append(path) }
            if path.hasSuffix(".livepatch") { payload = try WorkFiles.read(kept.appending(path)) }
            return true
        }
        return (ending, files, payload)
    }

    private func isExplained(_ ending: Program.Ending, _ device: FilePath, _ size: Comment) {
        #expect(ending.code == 1, "\(size): \(ending.error)")
        #expect(ending.errorLines.count == 1, "\(size): \(ending.error)")
        #expect(ending.error.contains("No space left on device"), "\(size): \(ending.error)")
        #expect(ending.error.contains(device.string), "\(size): \(ending.error)")
    }

    /// From a device that takes nothing to one that takes all: the run fails at another file each time.
    @Test(arguments: [true, false]) func forTheOutput(isCached: Bool) async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let device = folder.appending("device"), output = device.appending("out")
            let cache = folder.appending("cache")
            try WorkFiles.makeFolder(device)
            let reference = folder.appending("reference")
            let whole = try await Program.run(bench.arguments(output: reference, cache: cache))
            try #require(whole.code == 0, "\(whole.error)")
            let payload = try WorkFiles.read(reference.appending("change.livepatch"))

            var failures = 0, last = 1
            for size in stride(from: 4, through: 100, by: 4) {
                let fresh = isCached ? cache : folder.appending("cache-\(size)")
                let result = try await run(kibibytes: size, device: device, bench.arguments(output: output, cache: fresh))
                last = result.ending.code
                if last == 0 {
                    #expect(result.payload == payload)
                    break
                }
                failures += 1
                isExplained(result.ending, device, "\(size) KiB")
                #expect(!result.files.contains { $0.hasSuffix(".livepatch") || $0.hasSuffix(".tmp") }, "\(size): \(result.files)")
            }
            // From the cache: a report and a payload. Else logs as well.
            #expect(last == 0 && failures >= (isCached ? 1 : 3), "\(failures)")
        }
    }

    @Test func forTheCache() async throws {
        let bench = try await Bench.shared()
        try await bench.withFolder { folder in
            let device = folder.appending("device")
            try WorkFiles.makeFolder(device)
            var failures = 0, last = 1
            for size in [16, 150, 300, 400, 500, 600, 16000] {
                let output = folder.appending("out-\(size)")
                let result = try await run(
                    kibibytes: size, device: device, bench.arguments(output: output, cache: device.appending("cache")))
                last = result.ending.code
                if last == 0 { break }
                failures += 1
                isExplained(result.ending, device, "\(size) KiB")
                #expect(try leftovers(in: output).isEmpty)
            }
            #expect(last == 0 && failures >= 3, "\(failures)")
        }
    }
}
