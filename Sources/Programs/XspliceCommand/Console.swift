import FoundationEssentials
import Report
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A command's view of the outside world: two streams, the text style of each, and the environment.
package struct Console: Sendable {
    package var output: any TextSink
    package var error: any TextSink
    package var outputStyle: TextStyle
    package var errorStyle: TextStyle
    package var environment: [String: String]

    package init(
        output: any TextSink, error: any TextSink, outputStyle: TextStyle = TextStyle(),
        errorStyle: TextStyle = TextStyle(), environment: [String: String] = [:]
    ) {
        self.output = output
        self.error = error
        self.outputStyle = outputStyle
        self.errorStyle = errorStyle
        self.environment = environment
    }

    /// The process's own streams and environment.
    package static func process() -> Console {
        let environment = ProcessInfo.processInfo.environment
        func style(_ descriptor: FileDescriptor) -> TextStyle {
            let isTerminal = isatty(descriptor.rawValue) == 1
            return textStyle(isTerminal: isTerminal, columns: columns(descriptor), environment: environment)
        }
        return Console(
            output: DescriptorSink.standardOutput, error: DescriptorSink.standardError,
            outputStyle: style(.standardOutput), errorStyle: style(.standardError), environment: environment)
    }

    /// The text style for a stream.
    ///
    /// Colours are used only on a terminal that supports them, and without `NO_COLOR` (see no-color.org: set and not empty). The locale
    /// is that of `LC_ALL`, else `LC_CTYPE`, else `LANG`, as in setlocale(3). If none is set, the program writes only ASCII.
    package static func textStyle(isTerminal: Bool, columns: Int?, environment: [String: String]) -> TextStyle {
        let isDumb = environment["TERM", default: "dumb"] == "dumb"
        let hasColours = isTerminal && !isDumb && environment["NO_COLOR", default: ""].isEmpty
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
        let codeset = locale.lowercased().filter { $0 != "-" }
        let width = isTerminal ? columns ?? environment["COLUMNS"].flatMap { Int($0) } ?? 80 : 100
        return TextStyle(
            width: min(width, 100), colours: hasColours, unicode: codeset.contains("utf8"),
            isTerminal: isTerminal && !isDumb)
    }

    private static func columns(_ descriptor: FileDescriptor) -> Int? {
        var size = winsize()
        guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
