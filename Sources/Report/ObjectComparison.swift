import Diagnostics
import ObjectDiff

/// What `diff` says about two objects.
public struct ObjectComparison: Sendable, Equatable, Codable {
    public enum Status: String, Sendable, Equatable, Codable, CaseIterable { case changed, new, removed }

    public struct Item: Sendable, Equatable, Codable {
        public var name: String
        public var status: Status
        /// In bytes; nil on the side where it does not exist.
        public var oldSize: Int?
        public var newSize: Int?

        public init(name: String, status: Status, oldSize: Int?, newSize: Int?) {
            self.name = name
            self.status = status
            self.oldSize = oldSize
            self.newSize = newSize
        }
    }

    public var original: String
    public var patched: String
    public var sameFunctions: Int
    public var functions: [Item]
    public var data: [Item]
    /// Types that are laid out otherwise.
    public var layouts: [LayoutChange]
    public var diagnostics: [Diagnostic]

    public init(
        original: String, patched: String, sameFunctions: Int, functions: [Item], data: [Item],
        layouts: [LayoutChange] = [], diagnostics: [Diagnostic] = []
    ) {
        self.original = original
        self.patched = patched
        self.sameFunctions = sameFunctions
        self.functions = functions
        self.data = data
        self.layouts = layouts
        self.diagnostics = diagnostics
    }

    /// Whether anything of it runs or is used otherwise than before.
    public var isDifferent: Bool { !functions.isEmpty || !data.isEmpty || !layouts.isEmpty }
}

/// What `diff` says about two folders of objects.
public struct FolderComparison: Sendable, Equatable, Codable {
    public var original: String
    public var patched: String
    public var sameObjects: Int
    public var sameFunctions: Int
    /// The objects that differ, or that there is something to say about; on both sides by the same name.
    public var differing: [ObjectComparison]

    public init(original: String, patched: String, objects: [ObjectComparison]) {
        self.original = original
        self.patched = patched
        differing = objects.filter { $0.isDifferent || !$0.diagnostics.isEmpty }
        sameObjects = objects.count - differing.count
        sameFunctions = objects.reduce(0) { $0 + $1.sameFunctions }
    }
}
