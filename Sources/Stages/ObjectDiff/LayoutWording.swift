import DebugInfo
import Diagnostics

/// The diagnostics about types whose layout changed. The report shows the table of members and the users.
enum LayoutWording {
    static func diagnostic(_ change: LayoutChange) -> Diagnostic {
        let type = "'\(change.type)'" + (change.oldType.map { ", which was '\($0)'," } ?? "")
        return switch change.outcome {
        case .refused:
            Diagnostic(
                .layoutChanged, .error, symbol: change.type, location: change.location,
                message: "\(type) gets another layout, and what the running hypervisor has of that type keeps the old one",
                help: "leave the type as it is, and keep a new value in a variable of its own or in padding "
                    + "(xsplice-build explain \(DiagnosticID.layoutChanged.rawValue)); "
                    + "if nothing of that type can exist when the payload is applied: --allow-layout-change '\(change.type)'")
        case .allowed:
            Diagnostic(
                .layoutChanged, .warning, symbol: change.type, location: change.location,
                message: "\(type) gets another layout, as --allow-layout-change permits: nothing checks that old and new code "
                    + "never meet the same object")
        case .stackOnly:
            Diagnostic(
                .layoutChanged, .warning, symbol: change.type, location: change.location,
                message: "\(type) gets another layout: by the debug info it lives on the stack only, and the payload includes all functions "
                    + "that use it")
        case .retyped:
            Diagnostic(
                .layoutMemberRetyped, .warning, symbol: change.type, location: change.location,
                message: "a member of \(type) gets another type of the same size: what the running hypervisor stored there still has the old type")
        case .kept:
            Diagnostic(
                .layoutKept, .note, symbol: change.type, location: change.location,
                message: "\(type) is declared in another way, but every value in it lies where it was")
        case .compatible where change.enumerators.isEmpty:
            Diagnostic(
                .layoutPaddingUsed, .warning, symbol: change.type, location: change.location,
                message: "\(type) has new members where nothing was before: in what the running hypervisor has of that type, they hold whatever "
                    + "was there",
                help: "make sure that zero is a good value for them, or write them in a load hook; code that copies or clears the type "
                    + "member by member leaves them out")
        case .compatible:
            Diagnostic(
                .layoutValuesAdded, .warning, symbol: change.type, location: change.location,
                message: "\(type) has new values: functions that this payload does not replace do not know them",
                help: "check that no unchanged function can meet a new value, or that it can deal with one")
        }
    }

    /// For an object whose types can't be compared because one side says too little about them.
    ///
    /// - Parameters:
    ///   - gaps: what is missing, and on which side.
    ///   - severity: an error where a payload would be made.
    static func notCompared(
        _ object: ObjectID, source: String, gaps: [(side: ObjectSide, gap: TypeInfo.Gap)], _ severity: Severity
    ) -> Diagnostic {
        let reasons = gaps.map { "\($0.side == .original ? "the original" : "the patched object") \(text($0.gap))" }
        return Diagnostic(
            .layoutsNotCompared, severity, symbol: object.name, location: SourceLocation(file: source),
            message: "the layouts of types in \(object) could not be compared: \(reasons.joined(separator: ", "))",
            help: "compile both sides with -g and without the options that move or leave out types: -g1, -gline-tables-only, -gsplit-dwarf, "
                + "-femit-struct-debug-baseonly")
    }

    private static func text(_ gap: TypeInfo.Gap) -> String {
        switch gap {
        case .everything: "has no debug info"
        case .types: "has debug info without types"
        case .splitFile(let name): "has its types in '\(name)', which is missing or is not of the same run of the compiler"
        case .typesElsewhere: "has types that its debug info does not describe"
        case .someDefinitions: "has declarations where its source has definitions"
        }
    }

    /// For types that one side of a pair of objects only declares.
    static func declaredOnly(_ names: [String], on side: ObjectSide, source: String) -> [Diagnostic] {
        names.map { name in
            Diagnostic(
                .layoutsNotCompared, .warning, symbol: name, location: SourceLocation(file: source),
                message: "the layout of '\(name)' could not be compared: the \(side == .original ? "original" : "patched") object only declares it",
                help: "compare all objects of the hypervisor, or build a payload, which does")
        }
    }

    /// For a type that the user allowed, but that did not change by itself.
    static func notChanged(_ name: String, results: [LayoutChange]) -> Diagnostic {
        let causes = results.filter { $0.alsoChanged.contains { $0 == name || $0.hasSuffix(" \(name)") } }.map { "'\($0.type)'" }
        return Diagnostic(
            .layoutNotChanged, .warning, symbol: name,
            message: causes.isEmpty
                ? "--allow-layout-change '\(name)': the patch does not change the layout of a type of that name"
                : "--allow-layout-change '\(name)': that type changes only because it contains \(causes.joined(separator: ", "))")
    }
}
