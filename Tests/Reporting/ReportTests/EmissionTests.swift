import Diagnostics
import LoaderModel
import Report
import SystemPackage
import Testing
import WorkFiles

/// What the sources emit is what the catalogue describes: no identifier and no severity more, and none less.
@Suite struct EmissionTests {
    /// Calls whose severity is a parameter of a function around them, by file.
    private static let severities: [String: [DiagnosticID: Set<Severity>]] = [
        // Whether a function, a variable in plain data or another variable lies in another place.
        "ItemJudgement.swift": [.placementChanged: [.error, .warning, .note]],
        // Whether the address of a constant may have been kept, or another constant points to it.
        "ConstantAddresses.swift": [.constantTableChanged: [.error, .warning]],
        "Classifier+Places.swift": [.correlationAmbiguous: [.warning, .note]],
    ]

    /// How many calls of `Diagnostic(…)` have an identifier that somebody else gives, by file.
    private static let identifiers: [String: Int] = [
        // The functions `report` and `refusal`, to which others give the identifier.
        "Classifier.swift": 1, "MovedDefinitions.swift": 1, "Selection.swift": 1,
        // The identifier of an error that refuses the change as a whole: see `ExplainedError.diagnosticID`.
        "RunContext.swift": 1,
        // That of a finding of the loader's model: see `findings`.
        "LoadResult.swift": 1,
    ]

    /// The diagnostics of what the loader's model finds.
    private static let findings = LoadResult.Finding.Kind.allCases.compactMap { LoadResult.Finding($0, "text").diagnostic }
        .map { Emissions.Pair(id: $0.id, severity: $0.severity) }

    private func sources() throws -> [(name: String, emissions: Emissions)] {
        let folder = FilePath(#filePath).removingLastComponent().appending("../../../Sources").lexicallyNormalized()
        var found: [(String, Emissions)] = []
        try WorkFiles.walk(folder) { path, kind in
            if case .regular = kind, path.hasSuffix(".swift") {
                let emissions = Emissions(in: String(decoding: try WorkFiles.read(folder.appending(path)), as: UTF8.self))
                found.append((path.split(separator: "/").last.map(String.init) ?? path, emissions))
            }
            return true
        }
        return found
    }

    @Test func emittedIsWhatIsCatalogued() throws {
        let sources = try sources()
        var emitted = Set(Self.findings)
        for (name, emissions) in sources {
            emitted.formUnion(emissions.written)
            let known = Self.severities[name] ?? [:]
            #expect(emissions.withoutSeverity == Set(known.keys), "\(name): list the severities above")
            for (id, severities) in known { emitted.formUnion(severities.map { Emissions.Pair(id: id, severity: $0) }) }
        }
        let catalogued = Set(DiagnosticCatalogue.entries.flatMap { entry in entry.severities.map { Emissions.Pair(id: entry.id, severity: $0) } })
        #expect(emitted.subtracting(catalogued).isEmpty, "emitted, but not in the catalogue")
        #expect(catalogued.subtracting(emitted).isEmpty, "in the catalogue, but not emitted")
    }

    @Test func identifiersThatAreNotWrittenAreListed() throws {
        let found = try sources().filter { $0.emissions.withoutIdentifier > 0 }.map { ($0.name, $0.emissions.withoutIdentifier) }
        #expect(Dictionary(found, uniquingKeysWith: +) == Self.identifiers)
    }

    @Test(arguments: [
        ("Diagnostic(.hunkOffset, .note, message: \"a, b\")", ["note[hunk-offset]"]),
        ("x.append(\n    Diagnostic(\n        .fileNotBuilt, location: place(of: a, b),\n        message: m))", ["error[file-not-built]"]),
        ("Diagnostic(.originalDiffers, isTrusted ? .warning : .error, symbol: s)", ["error[original-differs]", "warning[original-differs]"]),
        ("self.report(.initOnlyChange, .warning, symbol: names.first)", ["warning[init-only-change]"]),
        ("report(.perCPUAdded, item, message: \"m\")", ["error[per-cpu-added]"]),
        ("input.refusal(.functionNotPlaceable, key, message: m)\nrefuse(.initCodeNeeded, user)", ["error[function-not-placeable]", "error[init-code-needed]"]),
        ("Failure(exitCode: .usage, diagnosticID: .instrumentedBuild)", ["error[instrumented-build]"]),
        ("// Diagnostic(.hunkOffset, .note)\nfunc report(.hunkOffset)\nthrow .refuse(.header, .invalid, m)\nMyDiagnostic(.hunkOffset)", []),
    ])
    func theTextIsRead(source: String, expected: [String]) {
        let emissions = Emissions(in: source)
        #expect(emissions.written.map(\.description).sorted() == expected)
        #expect(emissions.withoutSeverity.isEmpty && emissions.withoutIdentifier == 0)
    }

    @Test func whatIsNotWrittenIsNoticed() {
        let emissions = Emissions(in: "Diagnostic(.placementChanged, severity, message: m)\nDiagnostic(id, .error, message: m)\nDiagnostic($0, kind.severity)")
        #expect(emissions.written.isEmpty && emissions.withoutSeverity == [.placementChanged] && emissions.withoutIdentifier == 2)
    }
}
