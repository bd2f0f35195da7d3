import CodeListing
import Diagnostics
import ObjectDiff
import Report
import SignOff

/// Pages with made-up figures, and with everything that a page can have.
package enum SamplePages {
    /// What somebody may call a file, a function or a message who wants the page to say something else.
    package static let hostile = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&lt;\u{202e}evil\u{1b}[31m-->\u{0}"

    /// - Parameters:
    ///   - name: stands wherever a name can come from outside.
    ///   - functions: how many functions differ.
    package static func page(name: String = "acquire_grant_for_copy", functions: Int = 2) -> SignOffPage {
        var report = BuildReport(tree: .init(path: "/src/\(name)", version: "4.17.5", architecture: "x86_64", format: "livepatch v2"), outcome: .written)
        report.hypervisor = .init(xenSyms: "/build/\(name)/xen-syms", buildID: "bb359fb422930011223344556677889904ab04ab", builtHere: false)
        report.stack = [.init(path: "below-\(name).livepatch", buildID: "91c30000")]
        report.patch = .init(
            sources: ["/patches/\(name).patch"], files: [.init(path: "xen/common/\(name).c", change: .modified, linesAdded: 15, linesRemoved: 2)],
            leftOut: ["docs/\(name)"], movedHunks: 1,
            hunks: [
                .init(
                    patch: "/patches/\(name).patch", line: 7, file: "xen/common/\(name).c", hunk: 1, old: .init(start: 1, count: 3),
                    new: .init(start: 1, count: 5),
                    ending: .compared, objects: ["common/\(name).o"])
            ])
        report.compile = .init(
            objects: 467, concerned: 1, compiled: 2, fromCache: 0, compiler: "gcc 12.2.0 \(name)", configuration: name,
            decisions: [.init(object: name, spared: false, why: "the patch changes \(name)")])
        report.comparison = .init(same: 41, changed: 1, new: 1, refused: 0)
        report.original = .init(replaced: 1, equal: 1)
        report.functions = (0..<functions).map { number in
            .init(
                name: "\(name)_\(number)", file: "common/\(name).c", line: 2510 + number, oldSize: 1904, newSize: 2041, status: .changed,
                why: [.init(name: name, reason: "changed"), .init(name: name, reason: "changed")],
                firstDifference: .init(offset: 12, before: "call \(name)", after: "call b", summary: "`call \(name)` became `call b`"),
                effect: .init(
                    verdict: number.isMultiple(of: 2) ? .runsOnItsOwn : .onlyOnEvent, occasions: [number.isMultiple(of: 2) ? .hypercall : .processorUp],
                    way: [
                        .init(name: "entry_\(number / 5)"), .init(name: "middle_\(name)", how: "calls"),
                        .init(name: "\(name)_\(number)", how: "through hvm_funcs"),
                    ]))
        }
        report.data = [.init(name: "count_\(name)", file: "common/\(name).c", size: 4, writable: true, status: .new)]
        report.references = ["domain_crash", name]
        report.specialEntries = [.init(kind: "bug frame", section: ".bug_frames.0", count: 2)]
        report.hooks = [.init(name: "load", functions: ["hook_\(name)"], moment: "while all processors wait")]
        report.layouts = [
            LayoutChange(
                type: "struct \(name)", location: .init(file: "xen/\(name).h", line: 4), outcome: .allowed, oldSize: 8, newSize: 16,
                members: [
                    .init(
                        name: name, change: .moved, old: .init(bitOffset: 0, bitSize: 64, type: "u64"), new: .init(bitOffset: 65, bitSize: 3, type: name))
                ], enumerators: [.init(name: name, old: 1, new: nil)], unchanged: 3, alsoChanged: [name], users: .init(outsideCount: 3))
        ]
        report.proof = .init(functions: 2, references: 41, tableEntries: 6, hypervisorVariables: 1)
        report.payload = .init(
            path: "out/\(name).livepatch", size: 7312, buildID: "91c30000000000000000000000000000000e07a0", depends: "bb359fb422930011223344556677889904ab04ab",
            xenDepends: "bb359fb422930011223344556677889904ab04ab", hostTool: "xen-livepatch")
        report.diagnostics = [
            Diagnostic(.takesEffectLater, .warning, symbol: name, location: .init(file: name, line: 12), message: "'\(name)' runs later", help: name),
            Diagnostic(.hunkOffset, .note, message: "moved \(name)"),
        ]
        report.timings = [.init(stage: "patch", milliseconds: 12)]
        return SignOffPage(
            report,
            patches: [
                .init(name: "/patches/\(name).patch", digest: "7504c0a4", text: "--- a/\(name)\n+++ b/\(name)\n@@ -1 +1,2 @@\n-old \(name)\n+\tnew\n line\n")
            ],
            code: .init(listings: (0..<functions).map { listing(name, $0) }), program: "0.1.0")
    }

    private static func listing(_ name: String, _ number: Int) -> FunctionListing {
        let same = (0..<40).map { offset in
            FunctionListing.Row(
                .same, before: .init(offset: offset * 4, text: "mov %rax,%rbx", location: .init(file: "common/\(name).c", line: offset)),
                after: .init(offset: offset * 4, text: "mov %rax,%rbx", location: .init(file: "common/\(name).c", line: offset)))
        }
        let differing: [FunctionListing.Row] = [
            .init(.changed, before: .init(offset: 160, text: "call \(name)"), after: .init(offset: 160, text: "call other")),
            .init(.removed, before: .init(offset: 165, text: "nop")), .init(.added, after: .init(offset: 165, text: "lea \"\(name)\"(%rip),%rdi")),
        ]
        return FunctionListing(
            name: "\(name)_\(number)", object: "common/\(name).o", location: .init(file: "common/\(name).c", line: 2510), rows: same + differing + same,
            remarks: ["\(name) is no longer inlined"])
    }

    /// What a test drive of it may have shown.
    package static func drive(name: String = "xsa-500", isGood: Bool = true) -> TestDriveSection {
        TestDriveSection(
            isGood: isGood, verdict: isGood ? "good" : "panicked: \(name)", steps: [("upload \(name)", true), ("apply", isGood ? true : nil)],
            answers: [("xl info \(name)", "before", "\(name)\n")], payloads: [("\(name).livepatch", "7504")], console: "(XEN) \(name)\r\nXen 4.17\n")
    }

    package static var refused: SignOffPage {
        var report = BuildReport(tree: .init(path: "/src/xen", version: "4.17.5", architecture: "arm64", format: "livepatch v2"), outcome: .refused)
        report.diagnostics = [Diagnostic(.perCPUAdded, .error, symbol: "last_vector", message: "new per-CPU variable 'last_vector'")]
        return SignOffPage(report, patches: [], code: .init(problem: "no objdump"), program: "0.1.0")
    }
}
