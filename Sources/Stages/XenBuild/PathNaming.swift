import SystemPackage

/// What the compiler is to write for the path of a private tree, which must be in no object: the two sides have different ones, and a payload
/// must be the same wherever it is made.
///
/// Makefiles up to 4.16 name the folder of headers in full (`-I$(BASEDIR)/include` in `xen/Rules.mk`). `__FILE__` in a header begins with
/// that folder, and each BUG() and ASSERT() in a header stores it.
struct PathNaming: Sendable, Equatable {
    /// The folder `xen/` of the tree, as the hypervisor's own texts name it.
    var hypervisorFolder: String
    /// Whether the compiler can replace the beginning of `__FILE__`.
    var canReplace: Bool

    /// For a hypervisor that has no text with a path of its tree, or that is not known.
    static let neutralFolder = "xen"

    init(_ request: BuildRequest, _ toolchain: Toolchain) {
        hypervisorFolder = request.hypervisorFolder ?? Self.neutralFolder
        canReplace = toolchain.canReplaceMacroPaths
    }

    /// Whether the command has to name the tree as seen from its own folder, because the compiler can't replace the path. Then the names
    /// of headers are the same on both sides, though not as in the hypervisor.
    func isRelative(_ command: TreeCommand) -> Bool { command.namesTree && !canReplace }

    /// The flags that keep the path of the tree out of debug information and of `__FILE__`.
    func flags(_ command: TreeCommand, top: FilePath) -> [String] {
        let debug = ["-fdebug-prefix-map=\(top)=."]
        return command.namesTree && canReplace ? debug + replacing(top: top) : debug
    }

    /// The flag for `__FILE__` alone. The compiler takes what is before the first `=` as the path to replace; a cache folder has none.
    func replacing(top: FilePath) -> [String] { ["-fmacro-prefix-map=\(top)/xen=\(hypervisorFolder)"] }

    /// What of this makes a difference to a command's object, for the key of the object. It does not contain the path of the tree.
    func identity(_ command: TreeCommand) -> [String] {
        guard command.namesTree else { return [] }
        return isRelative(command) ? ["relative paths"] : ["paths in \(hypervisorFolder)"]
    }
}
