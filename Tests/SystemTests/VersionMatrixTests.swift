import ChangeCases
import FoundationEssentials
import SystemPackage
import TestRig
import TestTools
import Testing
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The same changes in the Xen of three releases of Debian, each with its own host tool. A release that the archive does not serve is a failure.
@Suite(
    .timeLimit(.minutes(60)), .enabled(if: RealXen.program != nil, "XSPLICE_BUILD names no program; 'make test' does"),
    .enabled(if: EveryXen.isWanted, "takes more builds of Xen: 'make test-all'"))
struct VersionMatrixTests {
    @Test("a payload changes the running hypervisor, and its revert changes it back", arguments: EveryXen.cells)
    func change(cell: EveryXen.Cell) async throws {
        #expect(try await EveryXen.deviations(cell) == [])
    }

    @Test("payloads that replace the same function stack in their order, and one takes the place of all", arguments: DebianXen.all)
    func stack(xen: DebianXen) async throws {
        #expect(try await EveryXen.deviationsOfStack(in: EveryXen.machine(xen)) == [])
    }

    @Test("the hypervisor is alive at the end, has no payload left, and never complained but where it was made to", arguments: DebianXen.all)
    func alive(xen: DebianXen) async throws {
        let machine = try await EveryXen.machine(xen)
        try machine.requireFinished()
        #expect(machine["alive"].succeeded)
        #expect(machine["alive"].output.hasSuffix("Nothing to list"))
        #expect(BootedChange.complaints(in: machine, without: EveryXen.changes) == [])
    }

    @Test("the changes are many, and there for every version")
    func changes() {
        #expect(EveryXen.changes.count > 15)
        #expect(EveryXen.cells.count == EveryXen.changes.count * DebianXen.all.count)
        for letter in ["F", "S", "D", "X"] { #expect(EveryXen.changes.contains { $0.name.hasPrefix(letter) }) }
    }

    @Test("the table of Docs/Compatibility.md says what the hypervisors do")
    func table() async throws {
        var table = CompatibilityTable(versions: DebianXen.all.map(\.version), rows: [])
        for change in EveryXen.changes {
            var cells: [CompatibilityTable.Cell] = []
            for xen in DebianXen.all {
                let cell = EveryXen.cells.first { $0.xen == xen && $0.change.name == change.name }
                if let cell { cells.append(try await EveryXen.deviations(cell).isEmpty ? .yes : .no) } else { cells.append(.none) }
            }
            table.rows.append(.init(name: change.name, cells: cells))
        }
        var cells: [CompatibilityTable.Cell] = []
        for xen in DebianXen.all { cells.append(EveryXen.deviationsOfStack(in: try await EveryXen.machine(xen)).isEmpty ? .yes : .no) }
        table.rows.append(.init(name: "a stack of three", cells: cells))

        let committed = ChangeCase.fixtures.appending("../Docs/Compatibility.md").lexicallyNormalized()
        let said = WorkFiles.isReadableFile(committed) ? String(decoding: try WorkFiles.read(committed), as: UTF8.self) : ""
        // Written first: who changed what is tried wants to see the new table.
        if let path = getenv("XSPLICE_COMPATIBILITY") {
            var hypervisors: [String] = []
            for xen in DebianXen.all { hypervisors.append(try await describe(xen)) }
            try WorkFiles.writeAtomically(Array(table.page(hypervisors: hypervisors).utf8), to: FilePath(String(cString: path)))
        }
        // Without the point releases, which move.
        #expect(CompatibilityTable.lines(ofPage: said) == table.lines)
    }

    /// Such as: Xen 4.14.6 of Debian bullseye, built with gcc-10 (Debian 10.2.1-6) 10.2.1 20210110; dom0 linux-image-…
    private func describe(_ xen: DebianXen) async throws -> String {
        let build = try await EveryXen.hypervisor(xen)
        let compiler = try await run("env", [build.compiler?.program.string ?? "gcc", "--version"]).prefix { $0 != "\n" }
        let dom0 = try await xen.dom0(cache: RealXen.cache)
        return "Xen \(build.version) of Debian \(xen.suite), built with \(compiler.split(separator: "/").last ?? compiler); dom0 \(dom0.kernelPackage)"
    }
}
