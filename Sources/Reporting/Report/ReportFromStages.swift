import Diagnostics
import ELFModel
import ObjectDiff
import PayloadLinker
import SourcePatch
import XenBuild
import XenSource
import XenVersions

// Makes the report's values from what the stages return.

extension BuildReport.Tree {
    package init(_ tree: XenTree, architecture: String) {
        self.init(
            path: tree.top.string, version: tree.version.description, architecture: architecture,
            format: tree.abi.displayName)
    }
}

extension BuildReport.Hypervisor {
    package init(_ image: XenImage, builtHere: Bool) {
        self.init(xenSyms: image.path.string, buildID: BuildIDNote.text(image.buildID), builtHere: builtHere)
    }
}

extension BuildReport.Patch {
    /// - Parameters:
    ///   - first: the series at the beginning of `patch` that is already in the running hypervisor.
    ///   - sources: the patch files whose hunks are reported, in order: the last ones of the series.
    ///   - skipping: how many patch files of the series come before those.
    package init(_ patch: AppliedPatch, beyond first: AppliedPatch = AppliedPatch(files: []), sources: [String], skipping: Int = 0) {
        self.init(
            sources: sources,
            files: patch.files(beyond: first).map { file in
                let isRemoval = if case .remove = file.change { true } else { false }
                return File(
                    path: file.path, change: file.isNew ? .added : isRemoval ? .removed : .modified,
                    linesAdded: file.added, linesRemoved: file.removed)
            },
            leftOut: patch.leftOut, movedHunks: patch.diagnostics.count { $0.id == .hunkOffset },
            hunks: patch.hunks.filter { $0.patch >= skipping }.map { hunk in
                var hunk = hunk
                hunk.patch -= skipping
                return Hunk(hunk, sources: sources)
            })
    }
}

extension BuildReport.Compile {
    package init(_ build: BuildOutcome) {
        self.init(
            objects: build.objectCount, concerned: build.pairs.count, unaffected: build.decisions.count { $0.reason == .withoutEffect },
            compiled: build.compiled,
            fromCache: build.fromCache, compiler: build.compiler, configuration: build.configurationOrigin, preparedWhole: build.preparation?.isWhole ?? false,
            preparedBecause: build.preparation?.reason, buildFacts: build.preparation?.facts?.string,
            decisions: build.decisions.map { Decision(object: $0.object, spared: $0.isSpared, why: $0.words) })
    }
}

extension BuildReport.Comparison {
    /// Counts the functions by status, without boot code, and the errors.
    package init(_ changeSets: [ChangeSet], _ layouts: LayoutComparison) {
        self.init(same: 0, changed: 0, new: 0, refused: layouts.diagnostics.values.joined().count { $0.severity == .error })
        for set in changeSets {
            for record in set.records where record.item.isRuntimeFunction {
                switch record.status {
                case .same: same += 1
                case .changed: changed += 1
                case .new: new += 1
                }
            }
            refused += set.diagnostics.count { $0.severity == .error }
        }
    }
}

extension ObjectComparison {
    package init(_ changes: ChangeSet, layouts: LayoutComparison, original: String, patched: String) {
        self.init(original: original, patched: patched, sameFunctions: 0, functions: [], data: [], layouts: layouts.changes)
        for record in changes.records where record.item.isNamed {
            let item = record.item
            let status: Status
            switch record.status {
            case .same:
                if item.isRuntimeFunction { sameFunctions += 1 }
                continue
            // Text and numbers that the compiler named are not listed: the functions that refer to them are.
            case _ where item.isJustContent && item.name.contains("."): continue
            case .changed: status = .changed
            case .new: status = .new
            }
            add(item, Item(name: item.name, status: status, oldSize: changes.twin(of: item.id)?.size, newSize: item.size))
        }
        for item in changes.removed.map({ changes.original[$0] }) {
            add(item, Item(name: item.name, status: .removed, oldSize: item.size, newSize: nil))
        }
        diagnostics = changes.diagnostics + (layouts.diagnostics[changes.object] ?? [])
    }

    private mutating func add<Side>(_ item: ObjectDiff.Item<Side>, _ listed: Item) {
        switch item.kind {
        case .function: functions.append(listed)
        case .data: data.append(listed)
        case .string, .constant, .replacementCode: break
        }
    }
}

extension BuildReport {
    /// Adds the payload that the linker made.
    /// - Parameters:
    ///   - path: the payload's future path.
    ///   - isCumulative: whether the payload replaces all applied ones.
    package mutating func add(_ payload: PayloadLinker.Payload, path: String, isCumulative: Bool = false) {
        func file(_ location: SourceLocation?) -> String { location?.file ?? "" }
        functions = payload.functions.map {
            Function(
                name: $0.payload == nil ? $0.name : AppliedPayload.withoutTag($0.name), file: file($0.location), line: $0.location?.line,
                oldSize: Int(clamping: $0.oldSize),
                newSize: Int(clamping: $0.newSize), status: $0.isNOPs ? .nops : .changed, why: $0.why.map(WhyStep.init),
                firstDifference: $0.difference.map(FirstDifference.init))
        }
        for companion in payload.companions {
            let status: Status =
                switch companion.reason {
                case .new: .new
                case .copied: .copied
                case .coldPart: .coldPart
                }
            let size = Int(clamping: companion.size)
            if companion.isFunction {
                functions.append(
                    Function(
                        name: companion.name, file: file(companion.location), line: companion.location?.line, oldSize: nil,
                        newSize: size, status: status, why: companion.why.map(WhyStep.init),
                        firstDifference: companion.difference.map(FirstDifference.init)))
            } else {
                data.append(
                    DataObject(
                        name: companion.name, file: file(companion.location), size: size, writable: companion.isWritable,
                        status: status, why: companion.why.map(WhyStep.init), firstDifference: companion.difference.map(FirstDifference.init)))
            }
        }
        references = payload.references.map(\.name)
        specialEntries = payload.tableEntries.sorted { $0.key < $1.key }
            .map { SpecialEntries(kind: entryName(of: $0.key), section: $0.key, count: $0.value) }
        // A payload that can't be read is refused by the check, which comes next.
        let inspection = try? PayloadInspection(ELFFile(bytes: payload.bytes, name: path, debugSections: false), file: path)
        hooks = (inspection?.hooks ?? []).map { Hook(name: $0.name, functions: $0.functions, moment: PayloadABI.moment(hook: $0.name) ?? "") }
        original = Original(
            replaced: payload.functions.count { !$0.isNOPs }, equal: payload.verifiedFunctions,
            equalInInstructions: payload.verifiedInInstructions)
        self.payload = Payload(
            path: path, size: payload.bytes.count, buildID: BuildIDNote.text(payload.buildID),
            depends: BuildIDNote.text(payload.depends), xenDepends: payload.xenDepends.map(BuildIDNote.text),
            hostTool: payload.abi.hostTool, isCumulative: isCumulative)
    }
}

/// The name of one entry of a special section, in the singular, made from the section's name: `.bug_frames.2` gives `bug frame`.
/// A name that is not a plural gets the word `entry`.
func entryName(of section: String) -> String {
    var words = section.split(whereSeparator: { $0 == "." || $0 == "_" }).map(String.init)
    if let last = words.last, last.allSatisfy(\.isNumber) { words.removeLast() }
    let name = words.joined(separator: " ")
    return name.hasSuffix("s") ? String(name.dropLast()) : name + " entry"
}

extension BuildReport.WhyStep {
    fileprivate init(_ step: PayloadLinker.Payload.Inclusion) {
        self.init(name: step.name, file: step.location?.file, line: step.location?.line, reason: step.reason.word)
    }
}

extension BuildReport.FirstDifference {
    fileprivate init(_ difference: Difference) {
        self.init(
            offset: difference.offset, before: difference.before, after: difference.after, file: difference.location?.file,
            line: difference.location?.line, summary: difference.words)
    }
}

extension InclusionReason {
    /// The word in reports.
    fileprivate var word: String {
        switch self {
        case .changed: "changed"
        case .moved: "moved and changed"
        case .hook: "hook"
        case .part: "part of the function"
        case .needed(let isNew): isNew ? "new" : "copied"
        }
    }
}

extension ObjectDecision {
    /// The reason in a few words.
    var words: String {
        switch reason {
        case .source(let path): "the patch changes \(path)"
        case .command: "it is compiled by another command"
        case .added: "only the patched tree builds it"
        case .removed: "only the original tree builds it"
        case .reads(let files): files.isEmpty ? "it may read what the patch changes" : "it reads \(files.listed(atMost: 3))"
        case .standsForReaders(let file): "it reads \(file), and stands for all objects that do and emit nothing of what differs"
        case .readsNoneOfThem: "it reads nothing that the patch changes"
        case .sameText: "its preprocessed source is the same"
        case .withoutEffect: "nothing that it emits uses what differs in its preprocessed source"
        }
    }
}
