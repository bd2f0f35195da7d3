import ELFModel
import LoaderModel
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig
import XenSource
import XenVersions

/// What came out of `ChangeClassTests` in the eyes of other people's tools, and of the hypervisor's loader.
@Suite struct PayloadCheckTests {
    static let trials = SmallTree.trials.filter { $0.change.expected.exit == 0 }

    /// Types of relocations that Xen's loaders perform, and perform well.
    private static let loadable: [String: Set<UInt32>] = [
        // R_X86_64_NONE, 64, PC32, PLT32
        "x86_64": [0, 1, 2, 4],
        // R_AARCH64_ABS64, ABS32, PREL64, PREL32, ADR_PREL_LO21, ADR_PREL_PG_HI21, ADD_ABS_LO12_NC, LDST8_ABS_LO12_NC, TSTBR14,
        // CONDBR19, JUMP26, CALL26, LDST16_, LDST32_, LDST64_ABS_LO12_NC
        "arm64": [257, 258, 260, 261, 274, 275, 277, 278, 279, 280, 282, 283, 284, 285, 286],
        // R_ARM_ABS32, REL32, MOVW_ABS_NC, MOVT_ABS. No branch: it would lose a bit.
        "arm32": [2, 3, 43, 44],
    ]

    private func payload(of trial: Trial) async throws -> (path: FilePath, result: ChangeOutcome) {
        let result = try await SmallTree.outcome(of: trial)
        return (try #require(result.payloadPath, "\(result.error)"), result)
    }

    @Test(arguments: trials)
    func otherToolsFindNothingWrong(_ trial: Trial) async throws {
        let (path, _) = try await payload(of: trial)
        // `run` throws when a tool does not exit with 0.
        let readelf = try await runWithErrors("readelf", ["-aW", path.string])
        #expect(!readelf.contains("Warning") && !readelf.contains("Error"), "\(readelf)")
        let lint = try await run("eu-elflint", ["--gnu-ld", path.string])
        #expect(lint.contains("No errors"), "\(lint)")
        let listing = try await runWithErrors("eu-readelf", ["-a", path.string])
        #expect(!listing.contains("eu-readelf:"), "\(listing)")
    }

    /// What a tool says, errors included.
    private func runWithErrors(_ tool: String, _ arguments: [String]) async throws -> String {
        try await run("sh", ["-c", "exec \"$@\" 2>&1", "sh", tool] + arguments)
    }

    @Test(arguments: trials)
    func onlyWhatTheLoaderKnows(_ trial: Trial) async throws {
        let (path, result) = try await payload(of: trial)
        let file = try ELFFile.read(path)
        let known = try #require(Self.loadable[trial.target.machine.name])
        for relocation in file.sections.flatMap(\.relocations) { #expect(known.contains(relocation.type), "\(relocation.type)") }
        for section in file.sections {
            #expect(!section.name.contains("debug") && !section.name.contains(".comment") && !section.name.contains(".eh_frame"))
        }
        if result.report?.functions.count == 1 { #expect(try WorkFiles.read(path).count < 16384) }
    }

    @Test(arguments: trials)
    func theLoaderAccepts(_ trial: Trial) async throws {
        let (path, result) = try await payload(of: trial)
        let image = try XenImage.read(try await Bench.shared().xenSyms(for: trial.target.machine))
        let load = loadPayload(
            try WorkFiles.read(path), into: image, architecture: try #require(trial.target.machine.architecture), abi: .livepatchV2,
            version: XenVersion(major: 4, minor: 17))
        #expect(load.verdict == .accepted)
        #expect(load.functions.map { plain($0.name) }.sorted() == result.changed)
        #expect(load.buildID.map(hexadecimal).joined() == result.report?.payload?.buildID)
        #expect(load.depends == image.buildID)
    }

    /// Nothing is included that need not be.
    @Test(arguments: trials)
    func functionsAreThoseOfTheReport(_ trial: Trial) async throws {
        let (path, result) = try await payload(of: trial)
        let report = try #require(result.report)
        #expect(!report.functions.contains { $0.status == .copied }, "\(report.functions)")
        let file = try ELFFile.read(path)
        let defined = file.symbols.filter { $0.isFunction && !$0.isUndefined }.map { plain($0.name) }.sorted()
        #expect(defined == report.functions.map { plain($0.name) }.sorted())
    }

    /// A function that is replaced takes its unlikely part along, and must not jump into the old one's.
    @Test(arguments: trials)
    func noReplacedFunctionNeedsItsOldColdPart(_ trial: Trial) async throws {
        let (path, result) = try await payload(of: trial)
        let file = try ELFFile.read(path)
        let old = file.symbols.filter(\.isUndefined).map { plain($0.name) }
        let cold = result.changed.flatMap { name in old.filter { $0.hasPrefix("\(name).cold") } }
        #expect(cold.isEmpty)
    }

    private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
