import FoundationEssentials
import SystemPackage
import TestTools
import Testing
import WorkFiles
import XenRig

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The same changes in the Xen of three releases of Debian, for PCs and for ARM, each with its own host tool. A release that the archive does not serve is a failure.
@Suite(
    .timeLimit(.minutes(150)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"),
    .enabled(if: EveryXen.isWanted, "takes more builds of Xen: 'make test-all'"))
struct VersionMatrixTests {
    @Test("a payload changes the running hypervisor, and its revert changes it back", arguments: EveryXen.trials)
    func change(trial: Trial) async throws {
        #expect(try await EveryXen.deviations(trial) == [])
    }

    @Test("no payload names the cache, the source or the home folder", arguments: EveryXen.trials)
    func places(trial: Trial) async throws {
        #expect(try await RealXen.textsWithPlaces(EveryXen.outcome(of: trial), for: EveryXen.hypervisor(trial.target)) == [])
    }

    @Test("payloads that replace the same function stack in their order, and one takes the place of all", arguments: EveryXen.targets)
    func stack(target: XenTarget) async throws {
        #expect(try await EveryXen.deviationsOfStack(in: EveryXen.machine(target)) == [])
    }

    @Test("the hypervisor is alive at the end, has no payload left, and never complained but where it was made to", arguments: EveryXen.targets)
    func alive(target: XenTarget) async throws {
        let machine = try await EveryXen.machine(target)
        try machine.requireFinished()
        #expect(machine["alive"].succeeded)
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        #expect(BootedChange.complaints(in: machine, without: EveryXen.changes) == [])
    }

    @Test("the changes are many, and there for every version")
    func changes() {
        #expect(EveryXen.changes.count > 15)
        #expect(XenTarget.debian.map(\.title) == ["4.14", "4.17", "4.20", "4.17 arm64", "4.20 arm64", "4.17 arm32", "4.20 arm32"])
        #expect(
            XenTarget.flavoured.map(\.title) == ["4.17 clang-19", "4.17 rich", "4.17 rich-debug", "4.17 lean", "4.17 packaged", "4.20 gcc-14", "4.20 gcc-15"])
        for target in EveryXen.targets { #expect(EveryXen.trials.count { $0.target == target } > 15, "\(target)") }
        for letter in ["F", "S", "D", "X"] { #expect(EveryXen.changes.contains { $0.name.hasPrefix(letter) }) }
    }

    @Test("the table of Docs/Compatibility.md says what the hypervisors do")
    func table() async throws {
        var table = CompatibilityTable(versions: EveryXen.targets.map(\.title), rows: [])
        for change in EveryXen.changes {
            var cells: [CompatibilityTable.Cell] = []
            for target in EveryXen.targets {
                guard let trial = EveryXen.trials.first(where: { $0.target == target && $0.change.name == change.name }) else {
                    cells.append(.none)
                    continue
                }
                let asItShould: CompatibilityTable.Cell = trial.change.expected.exit == 0 ? .yes : .refused
                cells.append(try await EveryXen.deviations(trial).isEmpty ? asItShould : .no)
            }
            table.rows.append(.init(name: change.name, cells: cells))
        }
        var cells: [CompatibilityTable.Cell] = []
        for target in EveryXen.targets { cells.append(EveryXen.deviationsOfStack(in: try await EveryXen.machine(target)).isEmpty ? .yes : .no) }
        table.rows.append(.init(name: "a stack of three", cells: cells))

        let committed = ChangeCase.fixtures.appending("../Docs/Compatibility.md").lexicallyNormalized()
        let said = WorkFiles.isReadableFile(committed) ? try WorkFiles.readText(committed) : ""
        // Written first: who changed what is tried wants to see the new table.
        if let path = getenv("XSPLICE_COMPATIBILITY") {
            var hypervisors: [String] = []
            for target in EveryXen.targets { hypervisors.append(try await describe(target)) }
            let reasons = EveryXen.trials.compactMap { trial in trial.change.expected.why.map { "\(trial.change.name) in \(trial.target): \($0)" } }
            try WorkFiles.writeAtomically(Array(table.page(hypervisors: hypervisors, reasons: reasons).utf8), to: FilePath(String(cString: path)))
        }
        // Without the point releases, which move.
        #expect(CompatibilityTable.lines(ofPage: said) == table.lines)
    }

    /// Such as: Xen 4.14.6 of Debian bullseye, built with gcc-10 (Debian 10.2.1-6) 10.2.1 20210110; dom0 linux-image-…
    private func describe(_ target: XenTarget) async throws -> String {
        let build = try await EveryXen.hypervisor(target)
        let compiler = try await run("env", [build.compilerName, "--version"]).prefix { $0 != "\n" }
        let dom0 = try await target.xen.debian.dom0(for: target.machine, cache: RealXen.cache)
        let options =
            target.flavour.map { flavour in
                flavour.options.sorted { $0.key < $1.key }.map { "\($0.key.dropFirst("CONFIG_".count))=\($0.value)" } + flavour.makeVariables
                    + (flavour.isOutOfTree ? ["O="] : [])
            } ?? []
        let configuration = options.isEmpty ? "" : ", \(target.flavour?.name ?? ""): \(options.joined(separator: " "))"
        return
            "Xen \(build.version) of Debian \(try target.xen.suite) for \(target.machine)\(configuration), built with \(compiler.split(separator: "/").last ?? compiler); dom0 \(dom0.kernelPackage)"
    }
}
