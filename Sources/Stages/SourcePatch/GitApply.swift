import CLibgit2

/// libgit2's patch machinery on a repository that exists in memory only: it uses no folder and none of the user's configuration, and
/// reads and writes no file.
///
/// libgit2 tries a hunk at the stated line only (as of 1.5), so the caller gives hunks with exact places. libgit2 checks again that they
/// match.
final class GitApply {
    struct Failure: Error { var words: String }

    private let repository: OpaquePointer
    /// The repository holds one file, under this name. It never sees the real names.
    private static let name = "file"

    init() throws(Failure) {
        guard git_libgit2_init() > 0 else { throw Failure(words: "libgit2 can't be initialised") }
        var made: OpaquePointer?
        do throws(Failure) {
            try GitApply.inMemoryRepository(&made)
        } catch {
            git_repository_free(made)
            git_libgit2_shutdown()
            throw error
        }
        guard let made else {
            git_libgit2_shutdown()
            throw Failure(words: "libgit2 gave no repository")
        }
        repository = made
    }

    deinit {
        git_repository_free(repository)
        git_libgit2_shutdown()
    }

    private static func inMemoryRepository(_ repository: inout OpaquePointer?) throws(Failure) {
        var database: OpaquePointer?
        try check(git_odb_new(&database))
        defer { git_odb_free(database) }
        var memory: UnsafeMutablePointer<git_odb_backend>?
        try check(git_mempack_new(&memory))
        try check(git_odb_add_backend(database, memory, 1))
        try check(git_repository_wrap_odb(&repository, database))
        // An empty configuration, so that libgit2 never looks for the user's own (autocrlf, whitespace rules).
        var configuration: OpaquePointer?
        try check(git_config_new(&configuration))
        defer { git_config_free(configuration) }
        try check(git_repository_set_config(repository, configuration))
    }

    /// Returns the content after the hunks. `places` are the lines, counted from 0, at which the old lines of each hunk begin.
    func apply(_ hunks: [Hunk], at places: [Int], to content: [UInt8]) throws(Failure) -> [UInt8] {
        let text = GitApply.exactDiff(hunks, places)
        var diff: OpaquePointer?
        try GitApply.check(
            text.withUnsafeBytes {
                git_diff_from_buffer(&diff, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            })
        defer { git_diff_free(diff) }
        let tree = try treeHolding(content)
        defer { git_tree_free(tree) }
        var index: OpaquePointer?
        try GitApply.check(git_apply_to_tree(&index, repository, tree, diff, nil))
        defer { git_index_free(index) }
        guard let entry = git_index_get_bypath(index, GitApply.name, 0) else {
            throw Failure(words: "libgit2 lost the file")
        }
        var id = entry.pointee.id
        var blob: OpaquePointer?
        try GitApply.check(git_blob_lookup(&blob, repository, &id))
        defer { git_blob_free(blob) }
        guard let bytes = git_blob_rawcontent(blob) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: Int(git_blob_rawsize(blob))))
    }

    private func treeHolding(_ content: [UInt8]) throws(Failure) -> OpaquePointer? {
        var blob = git_oid()
        try GitApply.check(
            content.withUnsafeBytes {
                git_blob_create_from_buffer(&blob, repository, $0.baseAddress, $0.count)
            })
        var builder: OpaquePointer?
        try GitApply.check(git_treebuilder_new(&builder, repository, nil))
        defer { git_treebuilder_free(builder) }
        try GitApply.check(git_treebuilder_insert(nil, builder, GitApply.name, &blob, GIT_FILEMODE_BLOB))
        var id = git_oid()
        try GitApply.check(git_treebuilder_write(&id, builder))
        var tree: OpaquePointer?
        try GitApply.check(git_tree_lookup(&tree, repository, &id))
        return tree
    }

    /// A diff of the one file, its hunks in ascending order. Their headers state the real places.
    private static func exactDiff(_ hunks: [Hunk], _ places: [Int]) -> [UInt8] {
        var text = Array("diff --git a/\(name) b/\(name)\n--- a/\(name)\n+++ b/\(name)\n".utf8)
        var shift = 0
        for (place, hunk) in zip(places, hunks).sorted(by: { $0.0 < $1.0 }) {
            // A range without lines is counted from the line before it.
            let old = hunk.oldCount == 0 ? place : place + 1
            let new = hunk.newCount == 0 ? place + shift : place + shift + 1
            text += Array("@@ -\(old),\(hunk.oldCount) +\(new),\(hunk.newCount) @@\n".utf8)
            for line in hunk.lines {
                text.append(line.origin.rawValue)
                text += line.text
                if line.text.last != UInt8(ascii: "\n") { text += Array("\n\\ No newline at end of file\n".utf8) }
            }
            shift += hunk.newCount - hunk.oldCount
        }
        return text
    }

    private static func check(_ code: CInt) throws(Failure) {
        guard code < 0 else { return }
        let words = git_error_last().flatMap { $0.pointee.message }.map { String(cString: $0) }
        throw Failure(words: words ?? "libgit2 answers \(code)")
    }
}
