import CompilerRecorder
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// Everything that differs between the build systems of Xen's versions, and what this program relies on in them.
enum BuildSystemQuirks {
    /// The files and folders that the hypervisor's build reads, relative to the top of the tree.
    static let inputs = ["xen"] + readBesideHypervisor

    /// The generated header that says when, where and by whom the hypervisor was built, and from what source (4.7 to 4.22).
    static let buildFacts = "xen/\(buildFactsInHypervisor)"
    static let buildFactsInHypervisor = "include/xen/compile.h"

    /// The object with a packed copy of the configuration, which the hypervisor gives out on request (since 4.14). It describes how the
    /// running hypervisor was built, and no payload changes that.
    static let configurationCopy = "common/config_data.o"

    /// Variables that keep make from making any object of the hypervisor, so that it makes only what comes before: configuration, host
    /// tools and generated headers. The names are the same from 4.7 to 4.22. In a tree with other names make only makes more.
    static let withoutObjects = ["ALL_OBJS-y=", "ALL_OBJS=", "ALL_LIBS-y=", "ALL_LIBS="]

    /// Variables that make leave out the checks of Xen's public headers. Those checks compile each header at least twice, and nothing is
    /// made from the results. Without a C++ compiler the tree itself skips the checks for C++ (4.7 to 4.22).
    static let withoutHeaderChecks = ["PUBLIC_ANSI_HEADERS=", "CXX=false"]

    /// Whether the tree's Kconfig has the target `syncconfig`, which updates the makefiles' copy of the configuration (from 4.14 on).
    /// Without an explicit call, the makefiles run that target themselves.
    static func hasSyncconfig(in top: FilePath) throws -> Bool {
        let makefile = top.appending("xen/tools/kconfig/Makefile")
        guard case .regular = try WorkFiles.kind(of: makefile) else { return false }
        return String(decoding: try WorkFiles.read(makefile), as: UTF8.self).contains("syncconfig")
    }

    /// Whether the tree's makefiles take the script interpreter from `PYTHON`, or else look for `python3`, `python` and `python2`, in
    /// that order (from 4.13 on).
    static func looksForPython3(_ makefile: String) -> Bool { makefile.contains("PYTHON_INTERPRETER") }

    /// Object files in a private tree, relative to `xen/`, except those of host tools and probes.
    static func madeObjects(in top: FilePath) throws -> [String] {
        var result: [String] = []
        try WorkFiles.walk(top.appending("xen")) { path, kind in
            if case .regular = kind, path.hasSuffix(".o"), !path.hasPrefix("tools/"), !path.hasSuffix("efi/check.o") { result.append(path) }
            return true
        }
        return result
    }

    static func isVersionControl(_ name: String) -> Bool { [".git", ".hg", ".svn", ".pc"].contains(name) }

    /// Whether a build in place leaves this file and no source tree contains it. The tree's own `make distclean` removes the other
    /// leftovers. A `.config` is the user's configuration, which is chosen separately.
    static func isLeftover(_ path: String) -> Bool {
        guard path.hasPrefix("xen/") else { return false }
        let name = path.split(separator: "/").last ?? ""
        if ["xen/.config", "xen/.config.old", "xen/xen", "xen/xen.gz"].contains(path) { return true }
        if path.hasPrefix("xen/xen-syms") || path.hasPrefix("xen/xen.efi") { return true }
        if name.hasSuffix(".o") || name.hasSuffix(".o.tmp") || name == "lib.a" { return true }
        return name.hasPrefix(".") && [".cmd", ".d", ".d2"].contains { name.hasSuffix($0) }
    }

    /// Where the object that contains all others is made, relative to `xen/`. Up to 4.15 that is the architecture's folder.
    ///
    /// - Parameters:
    ///   - folders: the names of the folders in `arch/`.
    ///   - architecture: the name for `make XEN_TARGET_ARCH=`.
    static func prelinkObjects(folders: [String], architecture: String) -> [String] {
        ["prelink.o"] + folders.filter { isFolder($0, of: architecture) }.map { "arch/\($0)/prelink.o" }
    }

    /// Whether the file is linked from all objects, directly or not: `prelink.o`, `prelink-efi.o`, `.xen-syms.0.o`, `.xen.efi.0r.o`.
    static func isMadeOfAllObjects(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasSuffix(".o") && (name.hasPrefix("prelink") || name.hasPrefix(".xen"))
    }

    /// Whether a folder in `arch/` belongs to an architecture. The folder's name is the start of the architecture's name: `x86` for
    /// `x86_64`; `arm` for `arm32` and `arm64`, which share it.
    private static func isFolder(_ folder: some StringProtocol, of architecture: String) -> Bool { architecture.hasPrefix(folder) }

    /// Whether a file is only for other architectures than the given one.
    private static func isForeign(_ parts: [String], to architecture: String) -> Bool {
        guard parts.count > 2 else { return false }
        let folder: Substring
        switch parts[0] {
        case "arch": folder = parts[1][...]
        case "include" where parts[1].hasPrefix("asm-") && parts[1] != "asm-generic": folder = parts[1].dropFirst("asm-".count)
        default: return false
        }
        guard isFolder(folder, of: architecture) else { return true }
        // `arch/arm/arm32/`, `arch/arm/include/asm/arm64/`: files that the architectures of one folder do not share.
        return parts[2...].dropLast().contains { part in
            let bits = part.dropFirst(folder.count)
            return part.hasPrefix(folder) && part != architecture && !bits.isEmpty && bits.allSatisfy(\.isNumber)
        }
    }

    /// Up to 4.13, an environment variable decides whether options for experts are shown. Later versions have the option EXPERT in the
    /// configuration and ignore the variable.
    ///
    /// - Parameters:
    ///   - configuration: the configuration after the tree's own Kconfig completed it.
    ///   - debug: true for a hypervisor with debugging. Up to 4.7 that is not an option of the configuration, but a variable that
    ///     `Config.mk` sets if nothing else does.
    static func environment(for configuration: KernelConfiguration, debug: Bool) -> [String: String] {
        var variables: [String: String] = [:]
        if configuration["EXPERT"] == "y" { variables["XEN_CONFIG_EXPERT"] = "y" }
        if debug && !configuration.isOn("DEBUG") { variables["debug"] = "y" }
        return variables
    }

    /// Turns live patching on in a configuration that hides the option (ARM, and all architectures up to 4.13).
    static let livePatchingOn = ["CONFIG_LIVEPATCH=y", "CONFIG_XSPLICE=y"]
    static let expertOn = ["CONFIG_EXPERT=y"]

    /// Whether a program other than the compiler reads the file while the tree is prepared. Then make must run before the patched tree
    /// can be compiled.
    ///
    /// Scripts turn public headers into compat headers. Make, Kconfig or a script reads everything that is not C or assembly. `tools` and
    /// `scripts` contain the build's own programs.
    static func isReadByBuild(_ path: String) -> Bool {
        let isSource = [".c", ".h", ".S"].contains { path.hasSuffix($0) }
        return !isSource || path.hasSuffix(".lds.S") || path.hasPrefix("include/public/") || path.hasPrefix("tools/")
            || path.hasPrefix("scripts/") || path.contains("asm-offsets")
    }

    /// Whether a file of a built tree says nothing about the source of objects: objects, make's notes, the build's own programs, and
    /// files that were made only to be linked.
    static func isBuildResidue(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return [".o", ".a", ".lnk", ".d", ".gz", ".i", ".chk", ".new", ".efi"].contains { name.hasSuffix($0) && path != "common/config.gz" }
            || (name.hasPrefix(".") && !path.hasPrefix("include/compat/.xlat/")) || path.hasPrefix("tools/")
            || path.hasPrefix("scripts/") || path.hasPrefix("include/config/") || path.hasSuffix("/mkelf32")
            || path.hasSuffix("/mkreloc")
    }

    /// The part of a generated file that objects can depend on. The header with the configuration begins with a comment that has the
    /// version in it, and every object includes it (4.7 to 4.22).
    static func essence(of bytes: [UInt8], at path: String) -> [UInt8] {
        guard path == "include/generated/autoconf.h" else { return bytes }
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: true)
        return Array(lines.filter { $0.starts(with: "#".utf8) }.joined(separator: [0x0a]))
    }

    /// Whether only the last link reads the file, and no object.
    static func isLinkInput(_ path: String) -> Bool { path.hasSuffix(".lds") }

    /// The object's name for the compiler's output file.
    ///
    /// With unique symbols (from 4.15 on), the compiler writes `.kernel.o.tmp`, and objcopy makes `kernel.o` from that. Other names that
    /// begin with a dot belong to the last link (`.xen-syms.0.o`): nil.
    static func objectName(output: String) -> String? {
        var parts = output.split(separator: "/").map(String.init)
        guard var name = parts.popLast() else { return nil }
        if name.hasSuffix(".tmp") { name = String(name.dropLast(4)) }
        if name.hasPrefix(".") {
            name = String(name.dropFirst())
            guard output.hasSuffix(".tmp") else { return nil }
        }
        return name.hasSuffix(".o") ? (parts + [name]).joined(separator: "/") : nil
    }

    /// Whether the build renames the sections of this object to `.init…` after compiling; a macro marks such objects.
    static func isInitOnly(_ arguments: CompilerArguments) -> Bool { arguments.defines.contains("INIT_SECTIONS_ONLY") }

    /// A reason why no object depends on a patched file; nil if there is no obvious one.
    ///
    /// - Parameters:
    ///   - path: relative to `xen/`.
    ///   - architecture: the name for `make XEN_TARGET_ARCH=`.
    static func reasonNotBuilt(_ path: String, architecture: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        let name = parts.last ?? ""
        if [".md", ".txt", ".rst", ".pandoc", ".markdown"].contains(where: { name.hasSuffix($0) })
            || ["COPYING", "README", "MAINTAINERS", ".gitignore"].contains(name)
        {
            return "it is documentation"
        }
        if isForeign(parts, to: architecture) { return "it is for another architecture" }
        if parts.first == "test" { return "it is a test of Xen's own" }
        if name.hasPrefix("Kconfig") { return "the configuration stays as it is; a new default does not reach an option that is set already" }
        if isMakefile(path) { return "it changes no command for an object that was compared" }
        return nil
    }

    static func isMakefile(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasPrefix("Makefile") || name.hasSuffix(".mk")
    }
}
