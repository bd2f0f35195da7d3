import ArgumentParser
import LivepatchBuild
import XenVersions

/// A size in bytes as people write it: `500M`, `10G`; K, M, G and T are powers of 1024.
struct CacheSize: FormedArgument, Equatable, CustomStringConvertible {
    static let form = "a number of bytes, such as 500M or 20G; 0 means no limit"
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
    /// For the help page, which shows the default.
    var description: String { self == .standard ? "10G" : "\(bytes)" }
}

/// A build-id in hexadecimal digits, as `readelf -n` and `xl info` print it: usually 20 bytes; linkers offer 8 to 32.
struct BuildIDArgument: FormedArgument, Equatable {
    static let form = "8 to 128 hexadecimal digits, an even number of them, as 'xl info build_id' prints them"
    var bytes: [UInt8]

    init?(argument: String) {
        guard let bytes = BuildIDNote.parse(text: argument), (4...64).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }
}

/// `FUNCTION=BYTES`.
struct NOPArgument: FormedArgument, Equatable {
    static let form = "FUNCTION=BYTES, such as do_domctl=5"
    var nops: BuildOptions.NOPs

    init?(argument: String) {
        guard let equals = argument.lastIndex(of: "="), equals != argument.startIndex,
            let count = Int(argument[argument.index(after: equals)...]), count >= 0
        else { return nil }
        nops = BuildOptions.NOPs(function: String(argument[..<equals]), count: count)
    }
}

/// A value that has to be written in a form of its own; the error for any other says which.
protocol FormedArgument: Sendable {
    /// Completes "it takes ...".
    static var form: String { get }
    init?(argument: String)
}

extension FormedArgument {
    static func parse(_ argument: String) throws -> Self {
        guard let value = Self(argument: argument) else { throw ValidationError("it takes \(form)") }
        return value
    }
}

extension BuildOptions.Format: ExpressibleByArgument {}
extension BuildOptions.SkippedPhase: ExpressibleByArgument {}

/// Checks the value of `-j`; nil means that the option is not given.
func checkJobs(_ jobs: Int?) throws(ValidationError) {
    if let jobs, !(1...4096).contains(jobs) { throw ValidationError("-j takes a number from 1 to 4096, not \(jobs)") }
}

/// The value of `--compiler-launcher`: a program, with its first arguments.
func launcherWords(_ argument: String?) -> [String] { argument?.split(separator: " ").map(String.init) ?? [] }
