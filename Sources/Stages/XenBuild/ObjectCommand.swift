import CompilerRecorder
import SystemPackage
import WorkFiles

/// How the tree's own make compiles one object.
struct ObjectCommand: Sendable, Equatable {
    /// Relative to `xen/`: `common/kernel.o`.
    var name: String
    /// Relative to `xen/`: the path that the compiler got, and the same with links resolved.
    var sourceAsCompiled: String
    var source: String
    var command: TreeCommand
    var isInitOnly: Bool

    /// Parses a record; returns nil if it is not for an object of the hypervisor's image.
    /// - Parameter top: the private tree in which the command was recorded.
    init?(_ record: RecordedCommand, top: FilePath) {
        let arguments = CompilerArguments(record.words)
        guard arguments.isHypervisorObject, let output = arguments.output, let input = arguments.inputs.first,
            let object = relativePath(output, from: record.folder, below: "\(top.string)/xen"),
            let name = BuildSystemQuirks.objectName(output: object),
            let source = relativePath(input, from: record.folder, below: "\(top.string)/xen")
        else { return nil }
        self.name = name
        sourceAsCompiled = source
        let xen = "\(top.string)/xen"
        self.source = WorkFiles.resolved("\(xen)/\(source)").flatMap { relativePath($0, from: "/", below: xen) } ?? source
        command = TreeCommand(record, top: top)
        isInitOnly = BuildSystemQuirks.isInitOnly(arguments)
    }

    /// The basenames of headers that the command line names.
    var forcedIncludes: [String] {
        CompilerArguments(command.words).forcedIncludes.map { String($0.split(separator: "/").last ?? "") }
    }

    /// Whether its source is in C. The compiler then writes assembly text first.
    var isCompiled: Bool { sourceAsCompiled.hasSuffix(".c") }

    /// Whether the object contains line numbers besides those of debug information and of the source itself. Sanitizers and coverage add
    /// them.
    var storesLines: Bool {
        command.words.contains { word in ["-fsanitize", "-fprofile", "-ftest-coverage", "--coverage"].contains { word.hasPrefix($0) } }
    }

    /// Whether the compiler may emit functions and variables that nothing uses, or something for the declarations that it reads. Without
    /// optimisation, at least, it does.
    var mayEmitUnused: Bool {
        let options = [
            "-fkeep-", "-fno-toplevel-reorder", "-fno-unit-at-a-time", "-finstrument-", "-fplugin", "-flto", "-fdump-", "-fcallgraph-info", "-gen-decls",
            "-aux-info",
            "-fsanitize", "-fprofile", "-ftest-coverage", "--coverage", "-fexcess-precision", "-fgnu-tm", "-fopenmp", "-fopenacc", "-ftree-parallelize",
        ]
        let level = command.words.last { $0.hasPrefix("-O") }
        return level == nil || level == "-O0" || command.words.contains { word in options.contains { word.hasPrefix($0) } }
    }

    /// The flags that the comparison needs besides the tree's own.
    ///
    /// Debug information, and a section for each function and variable, change no instruction. `PathNaming` has the flags about paths.
    static func differFlags(_ toolchain: Toolchain) -> [String] { toolchain.debugFlags + ["-ffunction-sections", "-fdata-sections"] }
}

/// Makes `path`, which is relative to `folder`, relative to `root`; nil when it lies outside. `.` and `..` are resolved as text.
///
/// - Parameter root: absolute, without `.` and `..`.
func relativePath(_ path: String, from folder: String, below root: String) -> String? {
    var parts: [Substring] = []
    for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    let above = root.split(separator: "/")
    guard parts.count > above.count, parts.starts(with: above) else { return nil }
    return parts.dropFirst(above.count).joined(separator: "/")
}

/// The files in a make rule `target: file file …`. A backslash before a space, a hash or a backslash is an escape, as GCC writes it; `$$`
/// is a dollar.
func dependencies(inRule bytes: [UInt8]) -> [String] {
    var names: [[UInt8]] = [], current: [UInt8] = []
    var seenColon = false, index = 0
    func end() {
        if !current.isEmpty && seenColon { names.append(current) }
        current = []
    }
    while index < bytes.count {
        let byte = bytes[index]
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0
        index += 1
        switch byte {
        case UInt8(ascii: "\\") where next == 0x0a:
            index += 1
            end()
        case UInt8(ascii: "\\") where next == 0x20 || next == UInt8(ascii: "#"):
            current.append(next)
            index += 1
        case UInt8(ascii: "$") where next == UInt8(ascii: "$"):
            current.append(next)
            index += 1
        case UInt8(ascii: ":") where !seenColon && (next == 0x20 || next == 0x0a || next == 0 || next == 0x5c):
            seenColon = true
            current = []
        case 0x0a:
            end()
            seenColon = false
        case 0x20, 0x09: end()
        default: current.append(byte)
        }
    }
    end()
    return names.map { String(decoding: $0, as: UTF8.self) }
}
