import SystemPackage
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Which files of a tree may include which others, according to their text. There may be too many includes, but never too few: an include
/// matches every file with the same basename, whatever the conditions around it.
struct IncludeGraph: Sendable {
    /// The includes of one file.
    struct Includes: Sendable, Equatable {
        /// Basenames in `#include` and `__has_include`.
        var names: Set<String> = []
        /// Basenames in the assembler's `.include` and `.incbin`. Dependency files do not list those.
        var assembler: Set<String> = []
        /// Whether it has `#include MACRO`, which may include anything.
        var isComputedByPreprocessor = false
        /// Whether it has `.incbin MACRO`. Dependency files do not list what that includes.
        var isComputedByAssembler = false

        var isComputed: Bool { isComputedByPreprocessor || isComputedByAssembler }
    }

    /// By path relative to `xen/`.
    private(set) var files: [String: Includes] = [:]

    /// A graph without files.
    init() {}

    /// Reads every file below `xen/` that may be compiled or included.
    /// - Parameter xen: the private tree's `xen` folder.
    init(xen: FilePath) throws {
        try WorkFiles.walk(xen) { path, kind in
            if case .regular = kind, !BuildSystemQuirks.isBuildResidue(path) {
                let includes = Self.includes(in: try WorkFiles.read(xen, path))
                if includes != Includes() { files[path] = includes }
            }
            return true
        }
    }

    /// Adds the includes of another version of a file.
    mutating func merge(_ bytes: [UInt8], at path: String) {
        let more = Self.includes(in: bytes)
        files[path, default: Includes()].names.formUnion(more.names)
        files[path, default: Includes()].assembler.formUnion(more.assembler)
        if more.isComputedByPreprocessor { files[path, default: Includes()].isComputedByPreprocessor = true }
        if more.isComputedByAssembler { files[path, default: Includes()].isComputedByAssembler = true }
    }

    /// Whether a source includes a file by its name.
    func names(_ path: String) -> Bool {
        let name = Self.basename(path)
        return files.values.contains { $0.names.contains(name) || $0.assembler.contains(name) }
    }

    /// The files that reach one of `changed` through includes, and `changed` itself.
    struct Reach: Sendable, Equatable {
        var paths: Set<String>
        /// The basenames of all of them, to match headers that command lines name.
        var names: Set<String>
        /// Whether a step on the way is an include that no dependency file lists.
        var throughAssembler: Bool
        /// Those of the paths in which the assembler computes the name of a file, and those that include them: no dependency file lists what
        /// they read.
        var withUnlistedInput: Set<String> = []
    }

    /// - Parameter xen: the patched tree's `xen` folder. Changed files may include other files there than before.
    func reaching(_ changed: Set<String>, alsoAsIn xen: FilePath) throws -> Reach {
        var graph = self
        for path in changed {
            let now = xen.appending(path)
            if case .regular = try WorkFiles.kind(of: now) { graph.merge(try WorkFiles.read(now), at: path) }
        }
        return graph.reaching(changed)
    }

    func reaching(_ changed: Set<String>) -> Reach {
        let (paths, names) = includers(of: changed, orComputed: true)
        var reach = Reach(paths: paths, names: names, throughAssembler: false)
        let computed = Set(files.filter(\.value.isComputedByAssembler).keys)
        reach.withUnlistedInput = includers(of: computed, orComputed: false).paths.intersection(reach.paths)
        // Check the changed files too: one may include itself, and then the assembler sees other lines of it than C does.
        reach.throughAssembler = files.contains { reach.paths.contains($0) && !$1.assembler.isDisjoint(with: reach.names) }
        return reach
    }

    /// Some files and all that include them, with the basenames of all.
    ///
    /// - Parameter orComputed: whether a computed include counts as one of these.
    private func includers(of start: Set<String>, orComputed: Bool) -> (paths: Set<String>, names: Set<String>) {
        var paths = start, names = Set(start.map(Self.basename)), grew = !start.isEmpty || orComputed
        while grew {
            grew = false
            for (path, includes) in files where !paths.contains(path) {
                guard orComputed && includes.isComputed || !includes.assembler.isDisjoint(with: names) || !includes.names.isDisjoint(with: names)
                else { continue }
                paths.insert(path)
                names.insert(Self.basename(path))
                grew = true
            }
        }
        return (paths, names)
    }

    /// A digest of all files that the assembler may include by itself in a tree. Launchers that look up objects by their preprocessed
    /// source do not see those files.
    ///
    /// - Parameter xen: a private tree's `xen` folder.
    static func assemblerInput(of xen: FilePath) throws -> String {
        let names = try IncludeGraph(xen: xen).files.values.reduce(into: Set<String>()) { $0.formUnion($1.assembler) }
        var paths: [String] = []
        try WorkFiles.walk(xen) { path, kind in
            if case .regular = kind, names.contains(basename(path)) { paths.append(path) }
            return true
        }
        var key = ContentKey()
        for path in paths.sorted() {
            key.add(path)
            key.add(try WorkFiles.read(xen, path))
        }
        return key.finished()
    }

    static func basename(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    /// Finds the includes in a source text: those of the preprocessor, and the assembler's own, both in files and in `asm("…")`.
    static func includes(in bytes: [UInt8]) -> Includes {
        var result = Includes()
        for position in occurrences(in: bytes) {
            let rest = bytes[position...]
            let isInclude = rest.starts(with: "include".utf8), isBinary = rest.starts(with: "incbin".utf8)
            guard isInclude || isBinary else { continue }
            var after = position + (isInclude ? 7 : 6)
            if rest.starts(with: "include_next".utf8) { after += 5 }
            let before = previousToken(bytes, position), name = name(bytes, after)
            // `%:` is another spelling of `#`; the colon of prose is followed by no name.
            let isDigraph = before == UInt8(ascii: ":") && name != nil
            let isPreprocessor = isInclude && (before == UInt8(ascii: "#") || before == UInt8(ascii: "_") || isDigraph)
            guard isPreprocessor || before == UInt8(ascii: ".") else { continue }
            switch name {
            case .some(let name) where isPreprocessor: if !name.text.isEmpty { result.names.insert(basename(name.text)) }
            case .some(let name):
                if name.isWhole { result.assembler.insert(basename(name.text)) } else { result.isComputedByAssembler = true }
            case nil where before == UInt8(ascii: "#") && isComment(bytes, after): result.isComputedByPreprocessor = true
            case nil where before != UInt8(ascii: "_") && isMacro(bytes, after):
                if isPreprocessor { result.isComputedByPreprocessor = true } else { result.isComputedByAssembler = true }
            case nil: continue
            }
        }
        return result
    }

    /// Whether blanks and then a macro's name follow. Prose is not a macro (`.include'd`). Neither is `__FILE__`: a file that includes
    /// itself includes nothing new.
    private static func isMacro(_ bytes: [UInt8], _ start: Int) -> Bool {
        let rest = bytes[start...].drop { $0 == 0x20 || $0 == 0x09 }
        guard let first = rest.first, rest.startIndex > start, !rest.starts(with: "__FILE__".utf8) else { return false }
        return first == UInt8(ascii: "_") || (0x41...0x5a).contains(first) || (0x61...0x7a).contains(first)
    }

    /// The byte before `position`, ignoring blanks; nil if there is none.
    private static func previousToken(_ bytes: [UInt8], _ position: Int) -> UInt8? {
        bytes[..<position].last { $0 != 0x20 && $0 != 0x09 }
    }

    /// Whether a comment follows. What is behind it is not looked for.
    private static func isComment(_ bytes: [UInt8], _ start: Int) -> Bool {
        bytes[start...].drop { $0 == 0x20 || $0 == 0x09 }.starts(with: "/*".utf8)
    }

    /// The name in quotes or angle brackets that begins near `start`; nil if there is none. It is not whole if its C string ends in it
    /// (`".incbin \"lib." EXT "\""`), or if a parameter of an assembler's macro is in it (`"\name"`).
    private static func name(_ bytes: [UInt8], _ start: Int) -> (text: String, isWhole: Bool)? {
        // Skip blanks, the parenthesis of __has_include, and the backslash of a quote inside a C string.
        guard let open = bytes[start...].firstIndex(where: { ![0x20, 0x09, 0x28, 0x5c].contains($0) }) else { return nil }
        let closing: [UInt8]
        switch bytes[open] {
        case UInt8(ascii: "\""): closing = [UInt8(ascii: "\""), UInt8(ascii: "\\")]
        case UInt8(ascii: "<"): closing = [UInt8(ascii: ">")]
        default: return nil
        }
        let text = bytes[(open + 1)...].prefix { !closing.contains($0) && $0 != 0x0a }
        let isInString = bytes[open - 1] == UInt8(ascii: "\\"), end = text.endIndex < bytes.endIndex ? bytes[text.endIndex] : 0
        let isWhole = end == (isInString ? UInt8(ascii: "\\") : closing[0])
        return text.isEmpty && isWhole ? nil : (String(decoding: text, as: UTF8.self), isWhole)
    }

    /// The positions of `inc` in the text.
    private static func occurrences(in bytes: [UInt8]) -> [Int] {
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return [] }
            var result: [Int] = [], offset = 0
            while offset + 2 < raw.count, let hit = memchr(base + offset, 0x69, raw.count - offset - 2) {
                let position = UnsafeRawPointer(hit) - base
                if raw[position + 1] == 0x6e && raw[position + 2] == 0x63 { result.append(position) }
                offset = position + 1
            }
            return result
        }
    }
}
