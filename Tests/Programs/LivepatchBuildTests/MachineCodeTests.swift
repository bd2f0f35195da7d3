import Diagnostics
import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenBuild

@testable import LivepatchBuild

/// Objects that hold no code to compare, or code with calls of the compiler's own.
@Suite struct MachineCodeTests {
    private static let source = "static int v[4]; int other(int); int f(int a) { v[a] = other(a) + 1; return v[1] << a; }\n"
    private let comparer = ObjectComparer(architecture: ObjectFixtures.Target.x86_64.architecture, version: .ofFixtures, abi: .livepatchV2)

    /// Requires that the object is refused in the build and in `diff`.
    private func requireRefusal(_ object: FilePath, _ word: String) throws {
        let pair = ObjectPair(name: "common/test.o", source: "common/test.c", original: object, patched: object)
        let inBuild = #expect(throws: UnusableObject.self) { try comparer.compare(pair) }
        let inDiff = #expect(throws: UnusableObject.self) { _ = try ObjectFile(object) }
        let inFolders = #expect(throws: UnusableObject.self) { _ = try ObjectFile(ofOneSource: object) }
        for error in [inBuild, inDiff, inFolders] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "no error")")
            #expect(error?.exitCode == .cannotBeLivePatched && error?.diagnosticID == .instrumentedBuild)
        }
        #expect(inBuild?.message.hasPrefix("common/test.o ") == true)
    }

    @Test(
        arguments: [
            (["-flto"], "slim LTO"), (["-flto", "-fno-fat-lto-objects"], "slim LTO"), (["--coverage"], "coverage (gcov)"),
            (["-fprofile-generate"], "coverage (gcov)"),
            (["-fsanitize=undefined"], "UBSAN"), (["-fsanitize-coverage=trace-pc"], "KCOV"), (["-fsanitize=kernel-address"], "KASAN"),
            (["-fsanitize=thread"], "KCSAN"), (["-pg", "-fno-omit-frame-pointer"], "-pg"), (["-pg", "-mfentry", "-fno-omit-frame-pointer"], "-pg"),
            (["-finstrument-functions"], "-finstrument-functions"),
        ])
    func refused(_ flags: [String], _ word: String) async throws {
        try await withTemporaryFolder { folder in
            try requireRefusal(try await ObjectFixtures.compile(Self.source, flags: flags, in: folder), word)
        }
    }

    @Test func splitObjects() async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile(Self.source, flags: ["-gsplit-dwarf"], in: folder)
            try requireRefusal(folder.appending("test.dwo"), "-gsplit-dwarf")
            _ = try ObjectFile(object)
            try await run("objcopy", ["--only-keep-debug", object.string, "debug.o"], in: folder)
            try requireRefusal(folder.appending("debug.o"), "only the debug information")
            let error = #expect(throws: UnusableObject.self) { _ = try ObjectFile(folder.appending("debug.o")) }
            #expect(error?.help?.contains("the object with the code") == true)
        }
    }

    @Test(arguments: [[0x42, 0x43, 0xC0, 0xDE, 0x35, 0x14], [0xDE, 0xC0, 0x17, 0x0B, 0, 0]] as [[UInt8]])
    func bitcode(_ bytes: [UInt8]) throws {
        try withTemporaryFolder { folder in
            try WorkFiles.write(bytes, to: folder.appending("test.o"))
            try requireRefusal(folder.appending("test.o"), "bitcode")
        }
    }

    @Test(
        "objects that also have machine code, and those of stack protectors, are compared",
        arguments: [["-flto", "-ffat-lto-objects"], ["-fstack-protector-all"], ["-g0"]])
    func fine(_ flags: [String]) async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile(Self.source, flags: flags, in: folder)
            _ = try ObjectFile(object)
            let set = try comparer.compare(ObjectPair(name: "test.o", source: "test.c", original: object, patched: object))
            #expect(set.records.contains { $0.item.name == "f" })
        }
    }

    @Test func anObjectWithoutAnyCodeIsStillAnObject() async throws {
        try await withTemporaryFolder { folder in
            _ = try ObjectFile(try await ObjectFixtures.compile("", in: folder))
            _ = try ObjectFile(try await ObjectFixtures.compile("typedef int unused;\n", flags: ["-flto", "-ffat-lto-objects"], in: folder))
        }
    }

    @Test func linkedFilesAreNoObjects() async throws {
        try await withTemporaryFolder { folder in
            let object = try await ObjectFixtures.compile("int f(void) { return 1; }\n", in: folder)
            for flags in [["-e", "f"], ["-shared"]] {
                try await run("ld", flags + ["-o", "linked", object.string], in: folder)
                let error = #expect(throws: InputError.self) { _ = try ObjectFile(folder.appending("linked")) }
                #expect(error?.message.contains("is not an object") == true && error?.help == nil)
            }
            try await run("ar", ["rc", "lib.a", object.string], in: folder)
            #expect(throws: InputError.self) { _ = try ObjectFile(folder.appending("lib.a")) }
        }
    }
}
