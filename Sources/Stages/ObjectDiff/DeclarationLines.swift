import DebugInfo
import Diagnostics
import SourcePatch

/// What became of the lines of declarations, for the places that debug info gives.
struct DeclarationLines {
    let history: LineHistory
    /// Whether the patch touches preprocessor directives in the object's source or in a file that it may include. Then a macro may declare
    /// something else in a line that stays.
    var macrosMayChange: Bool { history.changesDirectives { !$0.hasSuffix(".c") || sources.contains($0) } }
    private let sources: Set<String>
    private let original: FileNames
    private let patched: FileNames

    /// - Parameters:
    ///   - source: the main source file, relative to `xen/`; debug info may know it under another name.
    init(_ history: LineHistory, original: DebugInfo, originalSource: String, patched: DebugInfo, source: String) {
        self.history = history
        sources = [originalSource, source]
        self.original = FileNames(original, main: originalSource)
        self.patched = FileNames(patched, main: source)
    }

    /// A place with the file's name relative to `xen/`.
    func originalPlace(_ place: SourceLocation) -> SourceLocation { canonical(place, original) }
    func patchedPlace(_ place: SourceLocation) -> SourceLocation { canonical(place, patched) }

    private func canonical(_ place: SourceLocation, _ names: FileNames) -> SourceLocation {
        SourceLocation(file: names.canonical(place.file, preferring: history.touches), line: place.line)
    }

    /// How well a line fits a declaration.
    enum Fit: Int, Comparable {
        case not
        /// It may use a macro that declares the name.
        case possible
        /// It has the name where the compiler says that it is declared.
        case exact

        static func < (a: Fit, b: Fit) -> Bool { a.rawValue < b.rawValue }
    }

    /// How well a line's text fits a declaration of `name` that begins in `column`, counted from 1 in bytes.
    static func fit(_ text: String?, name: String, column: Int?) -> Fit {
        guard let text else { return .possible }
        let words = Words(of: text)
        guard let column, column > 0 else {
            // A line that only uses the name has it, too.
            let has = { (word: String) in words.all.contains { $0.text == word } }
            return has(name) && has("static") ? .exact : words.all.isEmpty ? .not : .possible
        }
        guard let word = words.all.first(where: { $0.column == column }) else { return .not }
        return word.text == name ? .exact : .possible
    }
}

/// The identifiers of a line, with the columns at which they begin, counted from 1 in bytes.
struct Words {
    private(set) var all: [(text: Substring, column: Int)] = []

    init(of text: String) {
        let bytes = text.utf8
        var start: String.Index?
        for index in bytes.indices {
            let isPart = Self.isPart(bytes[index])
            if isPart, start == nil { start = index }
            if !isPart, let begin = start {
                add(text[begin..<index], at: bytes.distance(from: bytes.startIndex, to: begin))
                start = nil
            }
        }
        if let start { add(text[start...], at: bytes.distance(from: bytes.startIndex, to: start)) }
    }

    private mutating func add(_ word: Substring, at distance: Int) {
        if word.utf8.first.map({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) == false { all.append((word, distance + 1)) }
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }
}

/// The names that debug info gives files, and the same names relative to `xen/`.
///
/// Where Xen's make compiles in a subfolder (before 4.17), names are relative to that folder, or absolute.
private struct FileNames {
    /// By the name of the compilation unit.
    private var main: [String: String] = [:]
    /// The folder that the compiler ran in, relative to `xen/`; empty for `xen/` itself.
    private var folder = ""

    init(_ debug: DebugInfo, main source: String) {
        for unit in debug.units where unit.language == .c {
            main[unit.name] = source
            if let directory = unit.directory, let below = Self.endings(of: directory + "/").last { folder = below }
        }
    }

    /// - Parameter isWanted: of several names that a file may have, one with this property counts.
    func canonical(_ name: String, preferring isWanted: (String) -> Bool) -> String {
        if let main = main[name] { return main }
        let candidates: [String]
        if name.hasPrefix("/") {
            candidates = Self.endings(of: name).map { Self.normalised($0) }
            return candidates.first(where: isWanted) ?? candidates.last ?? name
        }
        candidates = [Self.normalised(folder + "/" + name), Self.normalised(name)]
        return candidates.first(where: isWanted) ?? candidates[0]
    }

    /// What stands behind each `/xen/` of a path, the longest first.
    private static func endings(of path: String) -> [String] {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let isFolder = path.hasSuffix("/")
        return parts.indices.filter { parts[$0] == "xen" && (isFolder || $0 < parts.count - 1) }.map { parts[($0 + 1)...].joined(separator: "/") }
    }

    /// Without `.` and `..`, as far as that is possible.
    private static func normalised(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
