import Subprocess
import SystemPackage
import TestTools
import WorkFiles

@testable import SourcePatch

/// A folder that goes when the test ends, with a small tree in it.
struct TestTree {
    private let temporary: TemporaryFolder
    var folder: FilePath { temporary.path }
    var top: FilePath { folder.appending("tree") }

    init(_ files: [String: String] = [:]) throws {
        temporary = try TemporaryFolder()
        try WorkFiles.makeFolder(top.appending("xen"))
        for (path, text) in files { try write(text, to: path) }
    }

    func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    func write(_ bytes: [UInt8], to path: String) throws {
        let place = top.appending(path)
        try WorkFiles.makeFolder(place.removingLastComponent())
        try WorkFiles.write(bytes, to: place)
    }

    func exists(_ path: String) -> Bool { (try? WorkFiles.kind(of: top.appending(path))) != nil }

    /// A patch file beside the tree.
    func patch(_ text: String, _ name: String = "the.patch") throws -> FilePath {
        try WorkFiles.write(Array(text.utf8), to: folder.appending(name))
        return folder.appending(name)
    }

    func apply(_ texts: String...) throws -> AppliedPatch { try apply(texts) }

    func apply(_ texts: [String]) throws -> AppliedPatch {
        let patches = try texts.enumerated().map { try patch($1, "p\($0 + 1).patch") }
        return try applyPatches(readPatches(patches), to: top)
    }

    /// The error that applying gives, or nil.
    func refusal(_ texts: String...) throws -> PatchError? {
        let patches = try texts.enumerated().map { try patch($1, "p\($0 + 1).patch") }
        do {
            _ = try applyPatches(readPatches(patches), to: top)
            return nil
        } catch let error as PatchError {
            return error
        }
    }

    /// What `git apply` makes of a copy of the tree: path to content, with a mark for executable files; nil if it refuses.
    func git(_ texts: String...) async throws -> [String: String]? {
        let copy = folder.appending("copy")
        try WorkFiles.remove(copy)
        guard try await sh("cp -a tree copy", in: folder) else { throw Errno.ioError }
        for (index, text) in texts.enumerated() {
            let file = try patch(text, "g\(index + 1).patch")
            guard try await sh("git apply '\(file)' 2>'\(folder)/git.log'", in: copy) else { return nil }
        }
        return try snapshot(copy)
    }

    /// The tree with the result written over it, in the same form.
    func materialised(_ result: AppliedPatch) throws -> [String: String] {
        var files = try snapshot(top)
        for file in result.files {
            switch file.change {
            case .remove: files[file.path] = nil
            case .write(_, let executable):
                files[file.path] = (executable ? "x:" : "-:") + latin1(file.plainContent ?? [])
            }
        }
        return files
    }

    func snapshot(_ folder: FilePath) throws -> [String: String] {
        var files: [String: String] = [:]
        try WorkFiles.walk(folder) { path, kind in
            if case .regular(_, let executable) = kind { files[path] = (executable ? "x:" : "-:") + latin1(try WorkFiles.read(folder, path)) }
            return true
        }
        return files
    }
}

/// Bytes as text, one character each, so that nothing gets lost in a comparison.
func latin1(_ bytes: [UInt8]) -> String { String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })) }

func sh(_ command: String, in folder: FilePath) async throws -> Bool {
    // git must neither find a repository above the folder nor anybody's configuration.
    let result = try await run(
        .path("/bin/sh"), arguments: ["-c", command],
        environment: .inherit.updating([
            "GIT_CEILING_DIRECTORIES": "/tmp", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C",
        ]),
        workingDirectory: folder, output: .discarded, error: .discarded)
    return result.terminationStatus.isSuccess
}

extension AppliedPatch.File {
    var text: String {
        guard case .write(let content, _) = change else { return "(removed)" }
        return String(decoding: content, as: UTF8.self)
    }

    var plainText: String { String(decoding: plainContent ?? [], as: UTF8.self) }
}

/// Lines `l1` … `lN`, each with its newline.
func numberedLines(_ count: Int, _ prefix: String = "l") -> String {
    (1...count).map { "\(prefix)\($0)\n" }.joined()
}
