import Synchronization
import SystemPackage

/// A destination for text.
package protocol TextSink: Sendable {
    func write(_ text: String)
    /// Why text was lost; nil when all was written, and when the reader went away.
    var loss: Errno? { get }
}

extension TextSink {
    package var loss: Errno? { nil }
}

/// Standard output or standard error.
///
/// If the reader is gone, or the disk behind a redirection is full, the text is lost and the run goes on. A build's result is its payload.
/// A command whose result is its text fails at the end: see `ConsoleCommand.isResultText`.
package final class DescriptorSink: TextSink {
    private let descriptor: FileDescriptor
    private let firstLoss = Mutex<Errno?>(nil)

    init(descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    package static let standardOutput = DescriptorSink(descriptor: .standardOutput)
    package static let standardError = DescriptorSink(descriptor: .standardError)

    package func write(_ text: String) {
        do {
            _ = try descriptor.writeAll(Array(text.utf8))
        } catch {
            let reason = error as? Errno ?? .ioError
            if reason != .brokenPipe { firstLoss.withLock { $0 = $0 ?? reason } }
        }
    }

    package var loss: Errno? { firstLoss.withLock { $0 } }
}

/// Keeps the text, for tests and for callers that show it elsewhere.
package final class MemorySink: TextSink {
    private let storage = Mutex("")

    package init() {}

    package var text: String { storage.withLock { $0 } }

    package func write(_ text: String) { storage.withLock { $0 += text } }
}
