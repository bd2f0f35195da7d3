import Synchronization
import SystemPackage

/// Where text goes.
package protocol TextSink: Sendable {
    func write(_ text: String)
}

/// Standard output or standard error.
///
/// A reader that went away, or a full disk behind a redirection, is no reason to stop half way: what was asked for is a
/// payload, and its file tells. Such text is lost.
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
