import DebugInfo
import Diagnostics

/// What can't be said about the types of one object, because its debug information leaves them out.
struct LayoutDoubts {
    let original: TypeInfo
    let patched: TypeInfo

    /// - Parameter isWhole: as in `compareLayouts`.
    func diagnostics(of set: ChangeSet, isWhole: Bool) -> [Diagnostic] {
        let gaps = [(ObjectSide.original, original.gaps), (.patched, patched.gaps)].flatMap { side, gaps in
            gaps.sorted { "\($0)" < "\($1)" }.map { (side, $0) }
        }
        guard gaps.isEmpty else { return [LayoutWording.notCompared(set.object, source: set.source, gaps: gaps, isWhole ? .error : .warning)] }
        // With all objects at hand, another one has the definition. If none has, no code of that side knows the layout.
        guard !isWhole else { return [] }
        return LayoutWording.declaredOnly(definedOnly(by: patched, not: original), on: .original, source: set.source)
            + LayoutWording.declaredOnly(definedOnly(by: original, not: patched), on: .patched, source: set.source)
    }

    /// The types that one side defines and the other only declares.
    private func definedOnly(by one: TypeInfo, not other: TypeInfo) -> [String] {
        one.definitions.filter { $0.isComplete && $0.key.naming == .tag && $0.key.scope.isEmpty && other.declaredOnly.contains($0.key.name) }
            .map(\.spelling).sorted()
    }
}
