import FoundationEssentials
import WorkFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where and when a measurement was made.
package enum ThisMachine {
    package static var processors: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// The name of the processor, such as `Intel(R) Xeon(R) Processor`, or `an unknown processor`.
    package static var processor: String {
        let line = (try? WorkFiles.readText("/proc/cpuinfo"))?.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line.flatMap { $0.split(separator: ":").last }.map { $0.drop { $0 == " " } }.map(String.init) ?? "an unknown processor"
    }

    /// Today's date in UTC, such as `2026-11-23`.
    package static var date: String {
        var now = time_t(), parts = tm()
        time(&now)
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
