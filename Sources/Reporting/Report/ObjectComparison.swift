import Diagnostics
import ObjectDiff

/// The result of `diff` for two objects.
package struct ObjectComparison: Sendable, Equatable, Codable {
    package enum Status: String, Sendable, Equatable, Codable, CaseIterable { case changed, new, removed }

    package struct Item: Sendable, Equatable, Codable {
        package var name: String
        package var status: Status
        /// In bytes; nil when the item doesn't exist in the original. `newSize` is nil when it doesn't exist in the patched object.
        package var oldSize: Int?
        package var newSize: Int?

        package init(name: String, status: Status, oldSize: Int?, newSize: Int?) {
            self.name = name
            self.status = status
            self.oldSize = oldSize
            self.newSize = newSize
        }
    }

    package var original: String
    package var patched: String
    package var sameFunctions: Int
    package var functions: [Item]
    package var data: [Item]
    /// Types whose layout changed.
    package var layouts: [LayoutChange]
    package var diagnostics: [Diagnostic]

    package init(
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

    /// Whether there is anything to say about it.
    package var hasFindings: Bool { isDifferent || !diagnostics.isEmpty }

    /// Whether a function, a variable or a type's layout differs.
    package var isDifferent: Bool { !functions.isEmpty || !data.isEmpty || !layouts.isEmpty }
}

/// The result of `diff` for two folders of objects.
package struct FolderComparison: Sendable, Equatable, Codable {
    package var original: String
    package var patched: String
    package var sameObjects: Int
    package var sameFunctions: Int
    /// The objects that differ or have diagnostics. An object has the same name in both folders.
    package var differing: [ObjectComparison]

    package init(original: String, patched: String, objects: [ObjectComparison]) {
        self.original = original
        self.patched = patched
        differing = objects.filter(\.hasFindings)
        sameObjects = objects.count - differing.count
        sameFunctions = objects.reduce(0) { $0 + $1.sameFunctions }
    }
}
