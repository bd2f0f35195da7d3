import ObjectDiff
import SourcePatch
import SystemPackage
import TestTools

extension ObjectFixtures {
    /// Compares the two sides of a patch, as a build does: the patch is applied, and the lines of the sources are followed through it.
    ///
    /// - Parameters:
    ///   - files: by name, relative to `xen/`. Each line begins with a blank, or with `+` or `-` if the patch adds or removes it. `test.c`
    ///     is compiled.
    ///   - below: a patch that runs already, in the same form; its result must be the original of `files`.
    package static func compare(
        marked files: [String: String], below: [String: String] = [:], flags: [String] = [], for target: Target = .x86_64
    ) async throws -> ChangeSet {
        try await withTemporaryFolder { folder in
            let tree = folder.appending("tree")
            try await run("mkdir", ["-p", "tree/xen", "a", "b"], in: folder)
            for (name, text) in files { _ = try write(side("-", of: below[name] ?? text), to: name, in: tree.appending("xen")) }
            var patches: [FilePath] = []
            for (number, marked) in [below, files].enumerated() where !marked.isEmpty {
                let text = marked.sorted { $0.key < $1.key }.map { patch($0.key, $0.value) }.joined()
                patches.append(try write(text, to: "\(number).patch", in: folder))
            }
            let running = try applyPatches(readPatches(below.isEmpty ? [] : [patches[0]]), to: tree), patched = try applyPatches(readPatches(patches), to: tree)
            var objects: [FilePath] = []
            for (name, state) in [("a", running), ("b", patched)] {
                let side = folder.appending(name)
                var source = ""
                for (file, text) in files {
                    let change = state.files.first { $0.path == "xen/" + file }?.change
                    var content = self.side("-", of: below[file] ?? text)
                    if case .write(let bytes, _) = change { content = String(decoding: bytes, as: UTF8.self) }
                    if file == "test.c" { source = content } else { _ = try write(content, to: file, in: side) }
                }
                objects.append(try await compile(source, flags: flags, for: target, in: side))
            }
            return try compare(objects[0], objects[1], name: "test.c", for: target, history: LineHistory(from: running, to: patched))
        }
    }

    package static func compare(marked test: String, flags: [String] = [], for target: Target = .x86_64) async throws -> ChangeSet {
        try await compare(marked: ["test.c": test], flags: flags, for: target)
    }

    private static func lines(_ marked: String) -> [Substring] { marked.split(separator: "\n") }

    private static func side(_ sign: Character, of marked: String) -> String {
        lines(marked).filter { $0.first == " " || $0.first == sign }.map { $0.dropFirst() + "\n" }.joined()
    }

    private static func patch(_ name: String, _ marked: String) -> String {
        let all = lines(marked), before = all.count { $0.first != "+" }, after = all.count { $0.first != "-" }
        guard all.contains(where: { $0.first != " " }) else { return "" }
        return "--- a/xen/\(name)\n+++ b/xen/\(name)\n@@ -1,\(before) +1,\(after) @@\n" + all.map { $0 + "\n" }.joined()
    }
}
