import ELFModel

/// Says whether a payload means what the compiler meant by the patched source. It knows the variables by the numbers they were made with.
package struct TortureJudge: Sendable {
    /// One changed file.
    package struct File: Sendable {
        package var source: String
        package var diff: OracleDiff
        /// The plain object's symbol for each place of the original.
        package var plainNames: [OracleObject.Place: String]
        /// Labelled variables that are in another function now.
        package var wandered: Set<String> = []
        /// For labelled variables those that nothing in the text tells from them: they lie in blocks with the same words. If the patch moves
        /// such blocks, no reader of the patch can say which is which.
        package var lookalikes: [String: Set<String>] = [:]

        package init(
            source: String, diff: OracleDiff, plainNames: [OracleObject.Place: String], wandered: Set<String> = [], lookalikes: [String: Set<String>] = [:]
        ) {
            (self.source, self.diff, self.plainNames) = (source, diff, plainNames)
            (self.wandered, self.lookalikes) = (wandered, lookalikes)
        }

        /// Functions that must be replaced, and those that may be: what they do is the same.
        package var changed: (must: Set<String>, may: Set<String>) {
            var must: Set<String> = [], may: Set<String> = []
            for name in diff.patched.functions.keys where diff.original.functions[name] != nil {
                switch diff.difference(of: name) {
                // To C, another constant is another object, whatever its content. And a variable that the patch moved may be a new one.
                case .none:
                    let isOther = diff.original.constants(of: name) != diff.patched.constants(of: name)
                    if isOther || diff.patched.variables(of: name).contains(where: mayBeRenewed) { may.insert(Self.parent(name)) }
                case .onlyLines, .onlyStorage: may.insert(Self.parent(name))
                // A cold part is entered from its function only.
                case .content: must.insert(Self.parent(name))
                }
            }
            return (must, may.subtracting(must))
        }

        static func parent(_ name: String) -> String { name.hasSuffix(".cold") ? String(name.dropLast(5)) : name }
    }

    let files: [File]
    let hypervisor: HypervisorSymbols

    package init(files: [File], hypervisor: HypervisorSymbols) { (self.files, self.hypervisor) = (files, hypervisor) }

    /// Everything that is wrong with the payload; empty if nothing is.
    ///
    /// - Parameters:
    ///   - hasOtherFileNames: the program has said that reports from the payload will not name the source file. An ARM hypervisor
    ///     takes these names from its own image.
    ///   - saysMoved: the program has warned that it takes moved declarations for what they were. Lookalikes may be exchanged then.
    package func faults(of payload: TorturePayload, hasOtherFileNames: Bool = false, saysMoved: Bool = false) -> [String] {
        var check = PayloadCheck(
            payload: payload, files: files, hypervisor: hypervisor, hasOtherFileNames: hasOtherFileNames, mayExchangeLookalikes: saysMoved)
        check.run()
        return check.faults
    }

    /// Whether any function that runs after the boot differs.
    package var mustChange: Bool { files.contains { !$0.changed.must.isEmpty } }

    /// Whether a variable that the original writes is gone from the patched object, or is a constant there. Not for functions that are gone
    /// with it, or are part of others.
    func isFolded(_ name: String, of function: String, in source: String) -> Bool {
        guard let diff = files.first(where: { $0.source == source })?.diff, let before = diff.original.variables[name] else { return false }
        guard diff.patched.functions[function] != nil, !diff.original.isConstant(before) else { return false }
        return diff.patched.variables[name].map(diff.patched.isConstant) ?? true
    }

    /// Whether a variable that nothing wrote, which is a constant to the compiler, is written now.
    package var hasNewlyWritten: Bool {
        files.contains { file in
            file.diff.patched.variables.contains { name, item in
                file.diff.original.variables[name].map { file.diff.original.isConstant($0) && !file.diff.patched.isConstant(item) } ?? false
            }
        }
    }

    /// A variable of the hypervisor that has another size or another initial value in the patched source.
    package struct ChangedVariable: Sendable {
        /// What differs, with the variable's label and file.
        package var words: String
        /// The patch moved its declaration or took it to another function, so it may be taken for a new one, with a warning.
        package var mayBeRenewed: Bool
    }

    package var changedVariables: [ChangedVariable] {
        files.flatMap { file in
            file.diff.patched.variables.sorted { $0.key < $1.key }.compactMap { name, after in
                // As the text has it, another declaration stays in the line of this one, and this one is new.
                if !file.inLine(of: name).isEmpty { return nil }
                guard let before = file.diff.original.variables[name], !file.diff.original.isConstant(before) else { return nil }
                let difference = before.size != after.size ? "has another size" : file.diff.difference(before, after, 0)
                return difference.map { ChangedVariable(words: "\(name) of \(file.source): \($0)", mayBeRenewed: file.mayBeRenewed(name)) }
            }
        }
    }
}

extension TortureJudge.File {
    /// Whether a variable may be taken for a new one: the patch moved its declaration or took it to another function.
    func mayBeRenewed(_ name: String) -> Bool { name.hasPrefix("tv_") && (diff.twins[name] != name || wandered.contains(name)) }

    /// The variables that a moved one may be exchanged with: those in blocks with the same words, and the one whose declaration, as the text
    /// has it, stays in the line of the moved one.
    func exchangeable(_ name: String) -> Set<String> {
        (lookalikes[name] ?? []).union(inLine(of: name))
    }

    /// Other variables whose declaration, as the text has it, stays in the line of this one.
    func inLine(of name: String) -> [String] { diff.twins.filter { $0.value == name && $0.key != name }.map(\.key) }
}

extension TortureFile {
    /// See `TortureJudge.File.lookalikes`.
    package var lookalikes: [String: Set<String>] {
        var result: [String: Set<String>] = [:]
        for function in functions {
            let nested = function.body.allStatements.filter { $0.block != nil }
            for same in Dictionary(grouping: nested, by: { TortureText.statement($0, of: function, in: self) }).values where same.count > 1 {
                let labels = same.map { ($0.block?.allVariables ?? []).map { TortureText.label($0.id) } }
                for index in labels[0].indices {
                    let group = Set(labels.map { $0[index] })
                    for label in group { result[label, default: []].formUnion(group.subtracting([label])) }
                }
            }
        }
        return result
    }
}
