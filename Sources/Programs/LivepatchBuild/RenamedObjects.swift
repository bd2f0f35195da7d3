import Diagnostics
import ELFModel
import SystemPackage
import XenBuild

/// Joins the two halves of a renamed object: an object that is no longer built, and a new one that defines the same names.
///
/// Without this, the new object would bring all its variables as new ones, and the running hypervisor's values would be lost.
///
/// - Returns: the pairs, a note on each that was joined, and the present names of the objects by their former ones.
/// - Throws: the errors of reading an object.
func joinRenamed(_ pairs: [ObjectPair]) throws -> (pairs: [ObjectPair], notes: [Diagnostic], renamed: [String: String]) {
    let gone = try pairs.filter { $0.patched == nil }.map { ($0, try definedNames($0.original)) }
    let added = try pairs.filter { $0.original == nil }.map { ($0, try definedNames($0.patched)) }
    var partners: [String: ObjectPair] = [:]
    for (new, names) in added {
        let alike = gone.filter { old in
            let common = names.intersection(old.1).count
            return common * 2 > max(names.count, old.1.count)
        }
        if alike.count == 1 { partners[new.name] = alike[0].0 }
    }
    // A file that was split in two has no single successor.
    let claimed = Dictionary(grouping: partners.values, by: \.name).filter { $0.value.count == 1 }
    partners = partners.filter { claimed[$0.value.name] != nil }
    let joined = Set(partners.values.map(\.name))
    var notes: [Diagnostic] = []
    let result = pairs.compactMap { pair -> ObjectPair? in
        if joined.contains(pair.name) { return nil }
        guard let old = partners[pair.name] else { return pair }
        var whole = pair
        whole.original = old.original
        whole.originalSource = old.source
        notes.append(
            Diagnostic(
                .objectRenamed, .note, location: SourceLocation(file: pair.source),
                message: "\(pair.name) has the functions and variables of \(old.name), which is no longer built: the two were compared with each other"))
        return whole
    }
    return (result, notes, Dictionary(partners.map { ($0.value.name, $0.key) }) { first, _ in first })
}

/// Joins renamed objects among those that applied payloads changed, and gives each the name that it has now.
///
/// - Parameter laterNames: what the patch makes of their names, from `joinRenamed` of its own pairs.
/// - Throws: the errors of reading an object.
func joinRenamed(below pairs: [ObjectPair], laterNames: [String: String]) throws -> [ObjectPair] {
    try joinRenamed(pairs).pairs.map { pair in
        var present = pair
        present.name = laterNames[pair.name] ?? pair.name
        return present
    }
}

/// The names of all functions and variables of an object, without the compiler's numbers.
private func definedNames(_ path: FilePath?) throws -> Set<String> {
    guard let path else { return [] }
    try MachineCode.refuseBitcode(path, of: path.string)
    let file = try ELFFile.read(path, debugSections: false)
    return Set(
        file.symbols.filter { ($0.isFunction || $0.isObject) && $0.sectionIndex != nil && !$0.name.hasPrefix("__func__") }
            .map { String($0.name.prefix { $0 != "." }) })
}
