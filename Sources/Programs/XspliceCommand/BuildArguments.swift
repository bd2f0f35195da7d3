import ArgumentParser
import LivepatchBuild
import XenVersions

/// A size in bytes as people write it: `500M`, `10G`; K, M, G and T are powers of 1024.
struct CacheSize: ExpressibleByArgument, Sendable, Equatable {
    static let standard = CacheSize(bytes: 10 << 30)

    var bytes: Int64

    /// In bytes; nil means no limit.
    var limit: Int64? { bytes == 0 ? nil : bytes }

    init(bytes: Int64) { self.bytes = bytes }

    init?(argument: String) {
        let shift = "KMGT".firstIndex { Character($0.lowercased()) == argument.last.map { Character($0.lowercased()) } }
            .map { 10 * ("KMGT".distance(from: "KMGT".startIndex, to: $0) + 1) }
        guard let number = Int64(shift == nil ? argument[...] : argument.dropLast()), number >= 0, number <= Int64.max >> (shift ?? 0) else { return nil }
        bytes = number << (shift ?? 0)
    }

    static var allValueStrings: [String] { [] }
    var defaultValueDescription: String { "10G" }
}

/// A build-id in hexadecimal digits, as `readelf -n` and `xl info` print it: usually 20 bytes; linkers offer 8 to 32.
struct BuildIDArgument: ExpressibleByArgument, Sendable, Equatable {
    var bytes: [UInt8]

    init?(argument: String) {
        guard let bytes = BuildIDNote.parse(text: argument), (4...64).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    static var allValueStrings: [String] { [] }
}

/// `FUNCTION=BYTES`.
struct NOPArgument: ExpressibleByArgument, Sendable, Equatable {
    var nops: BuildOptions.NOPs

    init?(argument: String) {
        guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex,
            let count = Int(argument[argument.index(after: equals)...]), count >= 0
        else { return nil }
        nops = BuildOptions.NOPs(function: String(argument[..<equals]), count: count)
    }

    static var allValueStrings: [String] { [] }
}

extension BuildOptions.Format: ExpressibleByArgument {}
extension BuildOptions.SkippedPhase: ExpressibleByArgument {}

/// Checks the value of `-j`; nil means that the option is not given.
func checkJobs(_ jobs: Int?) throws(ValidationError) {
    if let jobs, !(1...4096).contains(jobs) { throw ValidationError("-j takes a number from 1 to 4096, not \(jobs)") }
}

/// The value of `--compiler-launcher`: a program, with its first arguments.
func launcherWords(_ argument: String?) -> [String] { argument?.split(separator: " ").map(String.init) ?? [] }
