import FuzzTargets
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

/// What `make fuzz` begins with, and what it once found, each as it is and damaged in many places: read without a trap, in time.
@Suite(.serialized) struct CorpusTests {
    private static let corpus = ChangeCase.fixtures.appending("fuzz")

    private func files(_ target: FuzzTarget) throws -> [FilePath] {
        let folder = Self.corpus.appending(target.rawValue)
        var names: [String] = []
        try WorkFiles.walk(folder) { name, kind in
            if kind != .folder { names.append(name) }
            return true
        }
        return names.sorted().map { folder.appending($0) }
    }

    @Test(arguments: FuzzTarget.allCases) func isReadInTime(target: FuzzTarget) throws {
        let files = try files(target)
        #expect(!files.isEmpty)
        for file in files {
            let start = ContinuousClock.now
            target.feed(try WorkFiles.read(file))
            #expect(ContinuousClock.now - start < .seconds(10), "\(file)")
        }
    }

    @Test(arguments: FuzzTarget.allCases) func damagedIsReadToo(target: FuzzTarget) throws {
        var dice = Repeatable(state: 0x9E37_79B9_7F4A_7C15)
        func random(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &dice) }
        for file in try files(target) {
            let sound = try WorkFiles.read(file)
            for _ in 0..<20 {
                var bytes = sound
                for _ in 0...random(4) where !bytes.isEmpty { bytes[random(bytes.count)] = [0, 0xff, 0x80, 0x7f, UInt8(random(256))][random(5)] }
                if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
                target.feed(bytes)
            }
        }
    }
}
