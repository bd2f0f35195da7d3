import Diagnostics
import ELFModel
import SystemPackage
import TestDrive
import WorkFiles

/// Compiles generated files by itself, twice: as they are, and with a name for every variable.
package struct OracleCompiler: Sendable {
    let tree: TortureTree
    /// A folder for its files.
    let work: FilePath

    package init(tree: TortureTree, work: FilePath) { (self.tree, self.work) = (tree, work) }

    /// A file compiled both ways.
    package struct Pair: Sendable {
        package var plain: ELFFile
        package var named: OracleObject
        /// The plain object's symbol for each place of a named one's variables and functions.
        package var plainNames: [OracleObject.Place: String]
    }

    /// - Parameters:
    ///   - name: a folder of its own below the work folder.
    ///   - oldLines: the numbers that lines of the source had before the patch, by their new numbers. They keep these, as in the program's own
    ///     compilation: equal line numbers let the compiler join code.
    /// - Returns: nil when the file does not compile, or when names change the code: then nothing can be said about it.
    package func compile(_ file: TortureFile, as name: String, oldLines: [Int: Int] = [:]) async throws -> Pair? {
        let shadow = work.appending(name)
        defer { try? WorkFiles.remove(shadow) }
        try makeShadow(shadow)
        guard let plain = try await plainObject(file, shadow, oldLines), let named = try await namedObject(file, shadow, oldLines) else { return nil }
        guard let names = Self.names(of: plain, for: named) else { return nil }
        return Pair(plain: plain, named: OracleObject(named), plainNames: names)
    }

    /// A folder that looks like the tree's `xen/` to the compiler, apart from the generated files: names of files are part of the code.
    private func makeShadow(_ shadow: FilePath) throws {
        let built = tree.build.tree.appending("xen")
        try WorkFiles.makeFolder(shadow.appending("common"))
        try WorkFiles.makeFolder(shadow.appending("torture-include/xen"))
        for name in try WorkFiles.names(in: built) where name != "common" {
            try WorkFiles.makeLink(at: shadow.appending(name), to: built.appending(name).string)
        }
    }

    private func write(_ file: TortureFile, _ shadow: FilePath, _ oldLines: [Int: Int], withLabels: Bool) throws {
        let text = Self.numbered(TortureText.source(file, withLabels: withLabels).text, oldLines)
        try WorkFiles.write(Array(text.utf8), to: shadow.appending(file.source))
        let header = shadow.appending("torture-include/xen/torture_\(file.label).h")
        try WorkFiles.write(Array(TortureText.header(file, withLabels: withLabels).text.utf8), to: header)
    }

    /// The text with directives that give the lines their old numbers. Added lines are counted from the line before them.
    static func numbered(_ text: String, _ oldLines: [Int: Int]) -> String {
        var result: [Substring] = [], next = 1
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let old = oldLines[index + 1], old != next {
                result.append("#line \(old)")
                next = old
            }
            result.append(line)
            next += 1
        }
        return result.joined(separator: "\n")
    }

    private func run(_ words: [String], in folder: FilePath) async throws -> Bool {
        guard let program = words.first else { return false }
        do {
            try await Tool(name: program).output(Array(words.dropFirst()), in: folder)
            return true
        } catch let error as StepError {
            try? WorkFiles.writeAtomically(Array("\(error.message)\n\(words.joined(separator: " "))\n".utf8), to: work.appending("last-compiler-error.txt"))
            return false
        }
    }

    /// The tree's command for a file: its own object name is part of it.
    private func words(_ file: TortureFile, _ more: [String]) -> [String] {
        let base = tree.files.first?.label ?? ""
        let own = tree.words.map { $0.replacing("torture_\(base)", with: "torture_\(file.label)") }
        return Array(own.prefix(1)) + ["-I./torture-include"] + Array(own.dropFirst()) + more
    }

    private func plainObject(_ file: TortureFile, _ shadow: FilePath, _ oldLines: [Int: Int]) async throws -> ELFFile? {
        try write(file, shadow, oldLines, withLabels: false)
        guard try await run(words(file, ["-c", file.source, "-o", "plain.o"]), in: shadow) else { return nil }
        return try ELFFile.read(shadow.appending("plain.o"), debugSections: false)
    }

    private func namedObject(_ file: TortureFile, _ shadow: FilePath, _ oldLines: [Int: Int]) async throws -> ELFFile? {
        try write(file, shadow, oldLines, withLabels: true)
        guard try await run(words(file, ["-S", file.source, "-o", "named.s"]), in: shadow) else { return nil }
        let text = try WorkFiles.readText(shadow.appending("named.s"))
        // A reference to a global symbol keeps the symbol's name.
        let globals = Self.dataSymbols(of: text).map { "\t.globl \($0)\n" }.joined()
        try WorkFiles.write(Array((text + globals).utf8), to: shadow.appending("named.s"))
        let machine = tree.words.dropFirst().filter { $0.hasPrefix("-m") && !$0.hasPrefix("-mmanual") }
        guard try await run(Array(tree.words.prefix(1)) + machine + ["-c", "named.s", "-o", "named.o"], in: shadow) else { return nil }
        return try ELFFile.read(shadow.appending("named.o"), debugSections: false)
    }

    /// The names that the text gives the type of an object.
    static func dataSymbols(of text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split { $0 == "\t" || $0 == " " || $0 == "," }
            return words.count == 3 && words[0] == ".type" && (words[2] == "@object" || words[2] == "%object") ? String(words[1]) : nil
        }
    }

    // MARK: Equality

    /// Pairs the symbols of two objects that have the same code and data.
    ///
    /// - Returns: the plain object's names by the named one's places; nil when the objects differ.
    static func names(of plain: ELFFile, for named: ELFFile) -> [OracleObject.Place: String]? {
        let ours = named.sections.indices.filter { named.sections[$0].isAllocated }
        let theirs = plain.sections.indices.filter { plain.sections[$0].isAllocated }
        guard ours.count == theirs.count else { return nil }
        var result: [OracleObject.Place: String] = [:]
        for (our, their) in zip(ours, theirs) {
            let (a, b) = (named.sections[our], plain.sections[their])
            guard a.type == b.type, a.flags == b.flags, a.size == b.size, a.alignment == b.alignment, a.data == b.data else { return nil }
            for symbol in plain.symbols where symbol.sectionIndex == their && (symbol.isObject || symbol.isFunction) {
                result[OracleObject.Place(section: our, offset: symbol.value)] = symbol.name
            }
        }
        return result
    }
}
