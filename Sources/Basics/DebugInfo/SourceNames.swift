import CLibdw
import Diagnostics
import ELFModel

/// The file names of one compilation unit, as the user knows them.
struct SourceNames {
    /// The folder that the compiler ran in.
    private let directory: String?
    /// By the pointer to libdw's own string, which lives as long as the file is open.
    private var known: [UnsafePointer<CChar>: String] = [:]

    init(directory: String? = nil) { self.directory = directory }

    /// Where the source declares an entry; nil when the debug information has no file for it.
    mutating func declaration(of die: DIE) -> SourceLocation? {
        guard let file = die.declarationFile else { return nil }
        if let name = known[file] { return SourceLocation(file: name, line: die.declarationLine) }
        let name = shortened(SymbolName.distinctText(file))
        known[file] = name
        return SourceLocation(file: name, line: die.declarationLine)
    }

    /// libdw puts the compiler's folder before relative names. This removes the folder again, and any `./`.
    func shortened(_ name: String) -> String {
        var rest = name[...]
        if let directory, !directory.isEmpty, rest.hasPrefix(directory) {
            let tail = rest.dropFirst(directory.count)
            if tail.first == "/" { rest = tail.drop { $0 == "/" } }
        }
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        return String(rest)
    }
}
