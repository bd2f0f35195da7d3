import CompilerRecorder
import SystemPackage
import WorkFiles

/// How the tree's own make compiles one object.
struct ObjectCommand: Sendable, Equatable {
    /// Relative to `xen/`: `common/kernel.o`.
    var name: String
    /// Relative to `xen/`, as the compiler was told, and with links resolved.
    var sourceAsCompiled: String
    var source: String
    var command: TreeCommand
    var isInitOnly: Bool

    /// Takes a record apart; nil for what is no object of the hypervisor's image.
    /// - Parameter top: the private tree that it was recorded in.
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

    /// The basenames of headers named on the command line.
    var forcedIncludes: [String] {
        CompilerArguments(command.words).forcedIncludes.map { String($0.split(separator: "/").last ?? "") }
    }

    /// Whether the object holds numbers of lines beside debug information and what the source says itself: sanitizers and coverage put them there.
    var storesLines: Bool {
        command.words.contains { word in ["-fsanitize", "-fprofile", "-ftest-coverage", "--coverage"].contains { word.hasPrefix($0) } }
    }

    /// What the differ needs beside the tree's own flags.
    ///
    /// Debug information and sections for each function and object change no instruction. The tree's place is taken out of the debug
    /// information, so that it is the same for both sides.
    static func differFlags(_ toolchain: Toolchain, top: FilePath) -> [String] {
        toolchain.debugFlags + ["-ffunction-sections", "-fdata-sections", "-fdebug-prefix-map=\(top)=."]
    }
}

/// `path`, from the folder it was said in, as a path relative to `root`; nil when it lies outside. `.` and `..` are taken
/// out as text.
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

/// The files that a make rule `target: file file …` names. A backslash before a space, a hash or a backslash belongs to
/// the name (GCC's way of writing them); `$$` is a dollar.
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
        case UInt8(ascii: "\\") where next == 0x0a: index += 1; end()
        case UInt8(ascii: "\\") where next == 0x20 || next == UInt8(ascii: "#"): current.append(next); index += 1
        case UInt8(ascii: "$") where next == UInt8(ascii: "$"): current.append(next); index += 1
        case UInt8(ascii: ":") where !seenColon && (next == 0x20 || next == 0x0a || next == 0 || next == 0x5c):
            seenColon = true
            current = []
        case 0x0a: end(); seenColon = false
        case 0x20, 0x09: end()
        default: current.append(byte)
        }
    }
    end()
    return names.map { String(decoding: $0, as: UTF8.self) }
}
