import Diagnostics
import ELFModel
import Subprocess
import SystemPackage
import TestDrive
import WorkFiles

/// A hypervisor with generated files in it: its source, its build, and the command that compiles them.
package struct TortureTree: Sendable {
    /// What the tree is a copy of.
    package enum Base: Sendable, Equatable {
        case mini
        case debian(DebianXen)
    }

    package let files: [TortureFile]
    /// The pristine source with the generated files in it.
    package let source: FilePath
    package let build: HypervisorBuild
    /// The words of the command that compiles a generated file, without its names.
    let words: [String]

    /// Writes the source and builds it.
    ///
    /// - Parameters:
    ///   - place: a folder for both; it exists.
    ///   - debug: with Xen's own checks, or for the small tree with less optimisation.
    /// - Throws: `StepError` when make fails, with the log's place.
    package static func make(
        _ files: [TortureFile], of base: Base, debug: Bool, for machine: TargetMachine, fixtures: FilePath, cache: FolderCache, in place: FilePath
    ) async throws -> TortureTree {
        let source = place.appending("source"), copy = place.appending("built")
        let copying = Tool(name: "cp")
        let build: HypervisorBuild
        switch base {
        case .mini:
            try await copying.output(["-r", "--", fixtures.appending(MiniXen.name).string, source.string])
            if debug { try edit(source.appending("xen/Rules.mk")) { $0.replacing("-O2", with: "-O1") } }
            try prepare(source, files, TortureSupport(machine: machine, isMini: true))
            build = try await MiniXen.build(tree: source, for: machine, in: copy)
        case .debian(let xen):
            // The cache's build has all objects already: only the generated files are compiled.
            let ready = try await xen.build(debug: debug, machine: machine, cache: cache)
            let release = try await XenRelease.ofDebian(DebianArchive(suite: xen.suite, cache: cache))
            try await copying.output(["-a", "--", release.source.string, source.string])
            try await copying.output(["-a", "--", ready.tree.string, copy.string])
            for tree in [source, copy] { try prepare(tree, files, TortureSupport(machine: machine, isMini: false)) }
            build = HypervisorBuild(version: ready.version, tree: copy, compiler: ready.compiler, machine: machine)
            try await make(build, ["-j2"] + BuildRecipe.facts, log: FilePath("\(copy).log"))
        }
        return TortureTree(files: files, source: source, build: build, words: try await command(build, files))
    }

    private static func prepare(_ tree: FilePath, _ files: [TortureFile], _ support: TortureSupport) throws {
        let xen = tree.appending("xen")
        try WorkFiles.write(Array(support.header.utf8), to: xen.appending("include/xen/torture.h"))
        try WorkFiles.write(Array(support.source.utf8), to: xen.appending("common/torture.c"))
        for file in files {
            try WorkFiles.write(Array(TortureText.header(file).text.utf8), to: xen.appending(file.headerPath))
            try WorkFiles.write(Array(TortureText.source(file).text.utf8), to: xen.appending(file.source))
        }
        let objects = ["torture.o"] + files.map { "torture_\($0.label).o" }
        try edit(xen.appending("common/Makefile")) { $0 + "\n" + objects.map { "obj-y += \($0)\n" }.joined() }
    }

    private static func edit(_ path: FilePath, _ change: (String) -> String) throws {
        try WorkFiles.writeAtomically(Array(change(try WorkFiles.readText(path)).utf8), to: path)
    }

    private static func make(_ build: HypervisorBuild, _ arguments: [String], log: FilePath) async throws {
        let tool = Tool(name: "make", environment: Tool.withoutOuterMake.merging(["CC": nil, "CFLAGS": nil]) { _, own in own }, timeLimit: .seconds(1800))
        let compiler = build.compiler.map { ["CC=\($0.program)"] } ?? []
        try await tool.run(["-C", build.tree.appending("xen").string] + build.machine.makeVariables + compiler + arguments, log: log)
    }

    /// Asks make how it compiles the first file.
    private static func command(_ build: HypervisorBuild, _ files: [TortureFile]) async throws -> [String] {
        guard let file = files.first else { throw StepError("a torture tree without files") }
        let log = FilePath("\(build.tree).command.log"), object = "common/torture_\(file.label).o"
        try WorkFiles.remove(build.tree.appending("xen").appending(object))
        try await make(build, ["V=1", BuildRecipe.date, object], log: log)
        let lines = try WorkFiles.readText(log).split(separator: "\n")
        guard let line = lines.last(where: { $0.contains(" -c ") && $0.contains(file.source) }) else {
            throw StepError("make did not say how it compiles \(file.source)", help: "its words: \(log)")
        }
        return withoutNames(shellWords(line))
    }

    /// The command's words without those that name its input and outputs.
    static func withoutNames(_ words: [String]) -> [String] {
        var result: [String] = [], skip = false
        for word in words {
            if ["&&", ";", "||"].contains(word) { break }
            if skip {
                skip = false
            } else if ["-o", "-MF", "-MQ", "-MT"].contains(word) {
                skip = true
            } else if word != "-c", !word.hasPrefix("-MMD"), word != "-MP", word != "-MD", !word.hasPrefix("-Wp,-MD"), !word.hasPrefix("-Wp,-MMD"),
                !word.hasSuffix(".c")
            {
                result.append(word)
            }
        }
        return result
    }

    /// The words of a shell's command line, of which only quotes and backslashes are special.
    static func shellWords(_ line: some StringProtocol) -> [String] {
        var words: [String] = [], word = "", quote: Character?, isOpen = false, isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                (isEscaped, isOpen) = (true, true)
            } else if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                (quote, isOpen) = (character, true)
            } else if character == " " || character == "\t" {
                if isOpen { words.append(word) }
                (word, isOpen) = ("", false)
            } else {
                word.append(character)
                isOpen = true
            }
        }
        return isOpen ? words + [word] : words
    }
}
