import ELFModel
import SystemPackage
import TestTools
import Testing
import WorkFiles

/// Every object of a real hypervisor through the ELF model and back.
@Suite(.enabled(if: BuiltXen.folder != nil, "XSPLICE_BUILT_XEN names no built Xen tree"))
struct XenObjectsTests {
    /// So many files are compared by one `readelf`: enough to make its start cheap, few enough to keep its output small.
    private static let batch = 24

    /// `make test` takes one object in four: with all of them, readelf is one of its longest parts.
    private static let step = RealXen.isThorough ? 1 : 4

    @Test("each object is written back equal by readelf", .timeLimit(.minutes(150)))
    func roundTrip() async throws {
        let all = try await BuiltXen.objects().filter {
            // The EFI loader's build-id is a COFF file that is only called .o.
            try WorkFiles.read($0).starts(with: [0x7F, 0x45, 0x4C, 0x46])
        }
        #expect(all.count > 400)
        let objects = stride(from: 0, to: all.count, by: Self.step).map { all[$0] }
        try await withTemporaryFolder { folder in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, start) in stride(from: 0, to: objects.count, by: Self.batch).enumerated() {
                    // Two at a time: readelf's output for the big ones takes memory.
                    if number >= 2 { try await group.next() }
                    let part = Array(objects[start..<min(start + Self.batch, objects.count)])
                    group.addTask { try await Self.compare(part, named: number, in: folder) }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func compare(_ objects: [FilePath], named batch: Int, in folder: FilePath) async throws {
        var copies: [FilePath] = []
        for (index, object) in objects.enumerated() {
            let copy = folder.appending("\(batch)-\(index).o")
            try WorkFiles.write(try ELFFile.read(object).serialised(name: copy.string), to: copy)
            copies.append(copy)
        }
        let originals = try await Readelf.reports(on: objects)
        for (object, (original, copy)) in zip(objects, zip(originals, try await Readelf.reports(on: copies))) {
            #expect(original.count > 20, "\(object): readelf said next to nothing")
            guard original != copy else { continue }
            let first = zip(original, copy).first { $0 != $1 }
            Issue.record("\(object) differs: '\(first?.0 ?? "more lines")' became '\(first?.1 ?? "fewer lines")'")
        }
    }
}
