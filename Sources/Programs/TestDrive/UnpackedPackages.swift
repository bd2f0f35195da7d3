import Diagnostics
import Subprocess
import SystemPackage
import WorkFiles

/// A folder with unpacked Debian packages. It finds programs, and the libraries that they need, by name.
struct UnpackedPackages {
    var root: FilePath
    /// Relative to the root, sorted.
    private var paths: [String]
    private var byName: [String: String] = [:]

    init(root: FilePath) throws {
        self.root = root
        var found: [String] = []
        try WorkFiles.walk(root) { path, _ in
            found.append(path)
            return true
        }
        paths = found.sorted()
        // Skip documentation and shell completions, which have the same names as programs.
        for path in paths where !path.contains("/share/") {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            if byName[name] == nil { byName[name] = path }
        }
    }

    func path(named name: String) throws -> String {
        guard let path = byName[name] else { throw StepError("the packages in \(root) have no file \(name)") }
        return path
    }

    func path(where fits: (String) -> Bool) throws -> String {
        guard let path = paths.first(where: fits) else { throw StepError("the packages in \(root) lack a file that the dom0 needs") }
        return path
    }

    func read(_ path: String) throws -> [UInt8] { try WorkFiles.read(root.appending(path)) }

    /// The content of a kernel module, decompressed if the suite compresses its modules.
    func module(_ name: String) async throws -> [UInt8] {
        if let plain = byName["\(name).ko"] { return try read(plain) }
        let packed = try path(named: "\(name).ko.xz")
        try await Tool(name: "xz").output(["-dk", "--", root.appending(packed).string])
        return try read(String(packed.dropLast(".xz".count)))
    }

    /// The shared libraries and the program loader that `programs` need: the path that each must have in the dom0, and its path here.
    ///
    /// Reads the names from the files themselves. All libraries go to `/lib`, which every loader searches.
    func libraries(of programs: [String]) async throws -> [(destination: String, path: String)] {
        var found: [String: String] = [:]
        var open = programs
        while let file = open.popLast() {
            let text = try await Tool(name: "readelf").output(["-W", "-l", "-d", "--", root.appending(file).string])
            for line in text.split(separator: "\n") {
                let destination: String
                if let name = Self.bracketed(line, after: "Shared library: ") {
                    destination = "lib/\(name)"
                } else if let loader = Self.bracketed(line, after: "[Requesting program interpreter: ", opening: false) {
                    destination = String(loader.drop { $0 == "/" })
                } else {
                    continue
                }
                guard found[destination] == nil else { continue }
                let library = try path(named: destination.split(separator: "/").last.map(String.init) ?? destination)
                found[destination] = library
                open.append(library)
            }
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The text between `label` and the next `]`; with `opening`, the label is followed by a `[`. Returns nil if the line has no such text.
    private static func bracketed(_ line: Substring, after label: String, opening: Bool = true) -> String? {
        let label = Array((opening ? label + "[" : label).utf8)
        let bytes = Array(line.utf8)
        guard bytes.count >= label.count else { return nil }
        for start in 0...(bytes.count - label.count) where bytes[start..<(start + label.count)].elementsEqual(label) {
            return String(decoding: bytes[(start + label.count)...].prefix { $0 != UInt8(ascii: "]") }, as: UTF8.self)
        }
        return nil
    }
}
