import Diagnostics

/// The diagnostics about types whose layout changed. The report shows the table of members and the users.
enum LayoutWording {
    static func diagnostic(_ change: LayoutChange) -> Diagnostic {
        switch change.outcome {
        case .refused:
            Diagnostic(
                .layoutChanged, .error, symbol: change.type, location: change.location,
                message: "'\(change.type)' gets another layout, and what the running hypervisor has of that type keeps the old one",
                help: "leave the type as it is, and keep a new value in a variable of its own or in padding "
                    + "(xsplice-build explain \(DiagnosticID.layoutChanged.rawValue)); "
                    + "if nothing of that type can exist when the payload is applied: --allow-layout-change '\(change.type)'")
        case .allowed:
            Diagnostic(
                .layoutChanged, .warning, symbol: change.type, location: change.location,
                message: "'\(change.type)' gets another layout, as --allow-layout-change permits: nothing checks that old and new code "
                    + "never meet the same object")
        case .stackOnly:
            Diagnostic(
                .layoutChanged, .warning, symbol: change.type, location: change.location,
                message: "'\(change.type)' gets another layout: by the debug info it lives on the stack only, and the payload includes all functions "
                    + "that use it")
        case .retyped:
            Diagnostic(
                .layoutMemberRetyped, .warning, symbol: change.type, location: change.location,
                message: "a member of '\(change.type)' gets another type of the same size: what the running hypervisor stored there still has the old type")
        case .compatible where change.enumerators.isEmpty:
            Diagnostic(
                .layoutPaddingUsed, .warning, symbol: change.type, location: change.location,
                message: "'\(change.type)' has new members where nothing was before: in what the running hypervisor has of that type, they hold whatever "
                    + "was there",
                help: "make sure that zero is a good value for them, or write them in a load hook; code that copies or clears the type "
                    + "member by member leaves them out")
        case .compatible:
            Diagnostic(
                .layoutValuesAdded, .warning, symbol: change.type, location: change.location,
                message: "'\(change.type)' has new values: functions that this payload does not replace do not know them",
                help: "check that no unchanged function can meet a new value, or that it can deal with one")
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
