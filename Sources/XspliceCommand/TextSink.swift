import Synchronization
import SystemPackage

/// Where text goes.
public protocol TextSink: Sendable {
    func write(_ text: String)
}

/// Standard output or standard error.
///
/// A reader that went away, or a full disk behind a redirection, is no reason to stop half way: what was asked for is a
/// payload, and its file tells. Such text is lost.
public struct DescriptorSink: TextSink {
    var descriptor: FileDescriptor

    public static let standardOutput = DescriptorSink(descriptor: .standardOutput)
    public static let standardError = DescriptorSink(descriptor: .standardError)

    public func write(_ text: String) {
        _ = try? descriptor.writeAll(Array(text.utf8))
    }
}

/// Keeps the text, for tests and for callers that show it elsewhere.
public final class MemorySink: TextSink {
    private let storage = Mutex("")

    public init() {}

    public var text: String { storage.withLock { $0 } }

    public func write(_ text: String) { storage.withLock { $0 += text } }
}
