import DebugInfo
import Diagnostics
import ObjectDiff
import ObjectFixtures
import SystemPackage
import TestTools
import Testing

/// Compiles pairs of sources and compares their types as a run does.
///
/// - Parameters:
///   - compiler: GCC if nil.
///   - flags: for both sides.
///   - isWhole: as in `compareLayouts`.
///   - prepare: does something to the two objects of each pair before they are read.
func layouts(
    _ pairs: [(original: String, patched: String)], allowed: [String] = [], compiler: String? = nil, flags: [String] = [], isWhole: Bool = true,
    prepare: (_ original: FilePath, _ patched: FilePath) async throws -> Void = { _, _ in }
) async throws -> (layouts: [LayoutChange], diagnostics: [Diagnostic]) {
    try await withTemporaryFolder { folder in
        var files: [(original: FilePath, patched: FilePath)] = []
        var changes: [ChangeSet] = []
        for (number, pair) in pairs.enumerated() {
            let (a, b) = (folder.appending("a\(number)"), folder.appending("b\(number)"))
            try await run("mkdir", [a.string, b.string])
            let name = "test\(number).c"
            files.append(
                (
                    try await ObjectFixtures.compile(pair.original, name: name, flags: flags, compiler: compiler, in: a),
                    try await ObjectFixtures.compile(pair.patched, name: name, flags: flags, compiler: compiler, in: b)
                ))
            try await prepare(files[number].original, files[number].patched)
            changes.append(try ObjectFixtures.compare(files[number].original, files[number].patched, name: name))
        }
        let layouts = try compareLayouts(changes, allowed: allowed, isWhole: isWhole) { object, side, withUses in
            let index = try #require(changes.firstIndex { $0.object == object })
            return try TypeInfo.read(side == .original ? files[index].original : files[index].patched, withUses: withUses)
        }
        let diagnostics = changes.flatMap { layouts.diagnostics[$0.object] ?? [] }
        try diagnostics.requireCatalogued()
        return (layouts.changes, diagnostics)
    }
}
