import SystemPackage
import WorkFiles

/// Copies of what a run worked with, for a user who wants to look at it. The copies share nothing with the cache.
///
/// `original/` and `patched/` are the two prepared trees. `objects/original/` and `objects/patched/` are the compared objects, under
/// their names in the build.
struct KeptWork: Sendable {
    let folder: FilePath

    /// Copies both trees.
    ///
    /// - Throws: `WorkFileError`. Then no part of the copies is left.
    func keep(original: FilePath, patched: FilePath) throws {
        let copies = [(original, folder.appending("original")), (patched, folder.appending("patched"))]
        do {
            for (top, copy) in copies {
                try WorkFiles.remove(copy)
                try WorkFiles.copyFolder(top, to: copy)
            }
        } catch {
            for (_, copy) in copies { try? WorkFiles.remove(copy) }
            throw error
        }
    }

    /// Copies the objects that were compared.
    ///
    /// - Throws: `WorkFileError`.
    func keep(_ pairs: [ObjectPair]) throws {
        for pair in pairs {
            for (side, object) in [("original", pair.original), ("patched", pair.patched)] {
                guard let object else { continue }
                let copy = folder.appending("objects").appending(side).pushing(FilePath(pair.name))
                try WorkFiles.makeFolder(copy.removingLastComponent())
                try WorkFiles.write(try WorkFiles.read(object), to: copy)
            }
        }
    }
}
