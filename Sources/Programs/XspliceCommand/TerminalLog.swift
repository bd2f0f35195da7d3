import Logging
import Report

/// The log of the stages, on standard error: with `-v` what they do, with `--debug` also why.
package struct TerminalLog: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let terminal: Terminal

    init(_ terminal: Terminal) {
        self.terminal = terminal
        logLevel =
            switch terminal.verbosity {
            case .quiet: .critical
            case .normal: .warning
            case .verbose: .info
            case .debug: .trace
            }
    }

    package static func logger(_ terminal: Terminal) -> Logger {
        Logger(label: "xsplice-build") { _ in TerminalLog(terminal) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let style = terminal.console.errorStyle
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let details = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        terminal.remark(style.shown("\(event.level): \(event.message)\(details)"))
    }
}
