import Subprocess
import SystemPackage

@testable import SourcePatch

#if canImport(Glibc)
import Glibc
#endif

/// A folder that goes when the test ends, with a small tree in it.
final class TestTree {
    let folder: FilePath
    var top: FilePath { folder.appending("tree") }

    init(_ files: [String: String] = [:]) throws {
        var template = Array("/tmp/source-patch-test.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        folder = FilePath(platformString: template)
        try makeFolders(top.appending("xen"))
        for (path, text) in files { try write(text, to: path) }
    }

    deinit { removeAll(folder) }

    func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

    func write(_ bytes: [UInt8], to path: String) throws {
        let place = top.appending(path)
        try makeFolders(place.removingLastComponent())
        try writeFile(bytes, to: place)
    }

    /// A patch file beside the tree.
    func patch(_ text: String, _ name: String = "the.patch") throws -> FilePath {
        try writeFile(Array(text.utf8), to: folder.appending(name))
        return folder.appending(name)
    }

    func apply(_ texts: String...) throws -> AppliedPatch {
        let patches = try texts.enumerated().map { try patch($1, "p\($0 + 1).patch") }
        return try applyPatches(patches, to: top)
    }

    /// The error that applying gives, or nil.
    func refusal(_ texts: String...) throws -> PatchError? {
        let patches = try texts.enumerated().map { try patch($1, "p\($0 + 1).patch") }
        do {
            _ = try applyPatches(patches, to: top)
            return nil
        } catch {
            return error
        }
    }

    /// What `git apply` makes of a copy of the tree: path to content, with a mark for executable files; nil if it refuses.
    func git(_ texts: String...) async throws -> [String: String]? {
        let copy = folder.appending("copy")
        removeAll(copy)
        guard try await sh("cp -a tree copy", in: folder) else { throw Errno.ioError }
        for (index, text) in texts.enumerated() {
            let file = try patch(text, "g\(index + 1).patch")
            guard try await sh("git apply '\(file)' 2>'\(folder)/git.log'", in: copy) else { return nil }
        }
        return snapshot(copy)
    }

    /// The tree with the result written over it, in the same form.
    func materialised(_ result: AppliedPatch) -> [String: String] {
        var files = snapshot(top)
        for file in result.files {
            switch file.change {
            case .remove: files[file.path] = nil
            case .write(_, let executable):
                files[file.path] = (executable ? "x:" : "-:") + latin1(file.plainContent ?? [])
            }
        }
        return files
    }

    func snapshot(_ folder: FilePath) -> [String: String] {
        var files: [String: String] = [:]
        func visit(_ path: FilePath, _ name: String) {
            for entry in entries(path) {
                let inner = path.appending(entry)
                var status = stat()
                guard lstat(inner.string, &status) == 0 else { continue }
                let full = name.isEmpty ? entry : "\(name)/\(entry)"
                if status.st_mode & S_IFMT == S_IFDIR { visit(inner, full) }
                if status.st_mode & S_IFMT == S_IFREG, let bytes = try? readWhole(inner, limit: 1 << 24) {
                    files[full] = (status.st_mode & S_IXUSR != 0 ? "x:" : "-:") + latin1(bytes)
                }
            }
        }
        visit(folder, "")
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

func writeFile(_ bytes: [UInt8], to path: FilePath) throws {
    let descriptor = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
    try descriptor.closeAfter { _ = try descriptor.writeAll(bytes) }
}

func makeFolders(_ path: FilePath) throws {
    var place = FilePath(root: path.root)
    for component in path.components {
        place.append(component)
        guard mkdir(place.string, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }
}

func entries(_ folder: FilePath) -> [String] {
    guard let handle = opendir(folder.string) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

func removeAll(_ path: FilePath) {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
        for entry in entries(path) { removeAll(path.appending(entry)) }
        rmdir(path.string)
    } else {
        unlink(path.string)
    }
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
