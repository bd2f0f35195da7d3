import Synchronization
import SystemPackage

/// A destination for text.
package protocol TextSink: Sendable {
    func write(_ text: String)
}

/// Standard output or standard error.
///
/// If the reader is gone, or the disk behind a redirection is full, the text is lost and the run goes on: the user asked for a payload,
/// and its file shows the result.
package struct DescriptorSink: TextSink {
    var descriptor: FileDescriptor

    package static let standardOutput = DescriptorSink(descriptor: .standardOutput)
    package static let standardError = DescriptorSink(descriptor: .standardError)

    package func write(_ text: String) {
        _ = try? descriptor.writeAll(Array(text.utf8))
    }
}

/// Keeps the text, for tests and for callers that show it elsewhere.
package final class MemorySink: TextSink {
    private let storage = Mutex("")

    package init() {}

    package var text: String { storage.withLock { $0 } }

    package func write(_ text: String) { storage.withLock { $0 += text } }
}
