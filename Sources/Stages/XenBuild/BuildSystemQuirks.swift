import CompilerRecorder
import SourcePatch
import SystemPackage
import WorkFiles
import XenSource

/// All that differs between the build systems of Xen's versions, and what of them this program relies on.
enum BuildSystemQuirks {
    /// The files and folders that the hypervisor's build reads, relative to the top of the tree.
    static let inputs = ["xen"] + readBesideHypervisor

    /// The generated header that says when, where and by whom the hypervisor was built, and what it is made from (4.7 to 4.22).
    static let buildFacts = "xen/\(buildFactsInHypervisor)"
    static let buildFactsInHypervisor = "include/xen/compile.h"
    static let buildFactsTemplate = "xen/include/xen/compile.h.in"

    /// The object that holds a packed copy of the configuration, for whoever asks the hypervisor (since 4.14). It says how the running
    /// one was built, which no payload changes.
    static let configurationCopy = "common/config_data.o"

    /// Variables for make that leave no object of the hypervisor to be made, only what comes before them: configuration, host tools and
    /// the generated headers. The names are the same from 4.7 to 4.22; a tree with other names only has more made.
    static let withoutObjects = ["ALL_OBJS-y=", "ALL_OBJS=", "ALL_LIBS-y=", "ALL_LIBS="]

    /// Variables for make that leave out the checks of Xen's public headers: each is compiled twice or more, and nothing is made of it.
    /// Without a C++ compiler the tree skips those for C++ by itself (4.7 to 4.22).
    static let withoutHeaderChecks = ["PUBLIC_ANSI_HEADERS=", "CXX=false"]

    /// Whether the tree's Kconfig has the target that brings the makefiles' copy of the configuration up to date, which they ask for by
    /// themselves otherwise (from 4.14 on).
    static func hasSyncconfig(in top: FilePath) throws -> Bool {
        let makefile = top.appending("xen/tools/kconfig/Makefile")
        guard case .regular = try WorkFiles.kind(of: makefile) else { return false }
        return String(decoding: try WorkFiles.read(makefile), as: UTF8.self).contains("syncconfig")
    }

    /// Whether the tree's makefiles look for the interpreter of their scripts in the order `python3`, `python`, `python2` (from 4.13 on),
    /// and take what `PYTHON` says before that.
    static func looksForPython3(_ makefile: String) -> Bool { makefile.contains("PYTHON_INTERPRETER") }

    /// Objects in a private tree that are not of host tools or probes, relative to `xen/`.
    static func madeObjects(in top: FilePath) throws -> [String] {
        var result: [String] = []
        try WorkFiles.walk(top.appending("xen")) { path, kind in
            if case .regular = kind, path.hasSuffix(".o"), !path.hasPrefix("tools/"), !path.hasSuffix("efi/check.o") { result.append(path) }
            return true
        }
        return result
    }

    static func isVersionControl(_ name: String) -> Bool { [".git", ".hg", ".svn", ".pc"].contains(name) }

    /// True for files that a build in place leaves and that no source tree holds; the tree's own `make distclean`
    /// takes care of the others. A `.config` is the user's configuration, which is chosen apart.
    static func isLeftover(_ path: String) -> Bool {
        guard path.hasPrefix("xen/") else { return false }
        let name = path.split(separator: "/").last ?? ""
        if ["xen/.config", "xen/.config.old", "xen/xen", "xen/xen.gz"].contains(path) { return true }
        if path.hasPrefix("xen/xen-syms") || path.hasPrefix("xen/xen.efi") { return true }
        if name.hasSuffix(".o") || name.hasSuffix(".o.tmp") || name == "lib.a" { return true }
        return name.hasPrefix(".") && [".cmd", ".d", ".d2"].contains { name.hasSuffix($0) }
    }

    /// Where the object that holds all others appears, relative to `xen/`: in the architecture's folder up to 4.15.
    ///
    /// - Parameters:
    ///   - folders: the names below `arch/`.
    ///   - architecture: as `make XEN_TARGET_ARCH=` names it.
    static func prelinkObjects(folders: [String], architecture: String) -> [String] {
        ["prelink.o"] + folders.filter { isFolder($0, of: architecture) }.map { "arch/\($0)/prelink.o" }
    }

    /// What is linked from all objects, or from that: `prelink.o`, `prelink-efi.o`, `.xen-syms.0.o`, `.xen.efi.0r.o`.
    static func isMadeOfAllObjects(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasSuffix(".o") && (name.hasPrefix("prelink") || name.hasPrefix(".xen"))
    }

    /// Whether the folder below `arch/` is that of an architecture. Its name is the first part of the architecture's: `x86` of `x86_64`,
    /// `arm` of `arm32` and `arm64`, which share it.
    private static func isFolder(_ folder: some StringProtocol, of architecture: String) -> Bool { architecture.hasPrefix(folder) }

    /// Whether a file is for another architecture than the given one.
    private static func isForeign(_ parts: [String], to architecture: String) -> Bool {
        guard parts.count > 2 else { return false }
        let folder: Substring
        switch parts[0] {
        case "arch": folder = parts[1][...]
        case "include" where parts[1].hasPrefix("asm-") && parts[1] != "asm-generic": folder = parts[1].dropFirst("asm-".count)
        default: return false
        }
        guard isFolder(folder, of: architecture) else { return true }
        // `arch/arm/arm32/`, `arch/arm/include/asm/arm64/`: what the architectures of one folder do not share.
        return parts[2...].dropLast().contains { part in
            let bits = part.dropFirst(folder.count)
            return part.hasPrefix(folder) && part != architecture && !bits.isEmpty && bits.allSatisfy(\.isNumber)
        }
    }

    /// Options for experts were hidden unless an environment variable said otherwise, up to 4.13; later versions
    /// have the option EXPERT in the configuration and ignore the variable.
    ///
    /// - Parameters:
    ///   - configuration: as the tree's own Kconfig completed it.
    ///   - debug: true for a hypervisor with debugging. Up to 4.7 that was no option of the configuration, but a variable that
    ///     `Config.mk` sets where nobody else did.
    static func environment(for configuration: KernelConfiguration, debug: Bool) -> [String: String] {
        var variables: [String: String] = [:]
        if configuration["EXPERT"] == "y" { variables["XEN_CONFIG_EXPERT"] = "y" }
        if debug && !configuration.isOn("DEBUG") { variables["debug"] = "y" }
        return variables
    }

    /// What turns live patching on in a configuration that hides the option (ARM, and all up to 4.13).
    static let livePatchingOn = ["CONFIG_LIVEPATCH=y", "CONFIG_XSPLICE=y"]
    static let expertOn = ["CONFIG_EXPERT=y"]

    /// True when something other than the compiler reads the file while the tree is prepared, so that make must have
    /// its say before the patched tree can be compiled.
    ///
    /// Public headers go through scripts into compat headers; everything that is not C or assembly is make's, Kconfig's
    /// or a script's; `tools` and `scripts` hold the programs of the build itself.
    static func isReadByBuild(_ path: String) -> Bool {
        let isSource = [".c", ".h", ".S"].contains { path.hasSuffix($0) }
        return !isSource || path.hasSuffix(".lds.S") || path.hasPrefix("include/public/") || path.hasPrefix("tools/")
            || path.hasPrefix("scripts/") || path.contains("asm-offsets")
    }

    /// True for files of a built tree that say nothing about the source of objects: objects, make's notes, the
    /// programs of the build, and what was only made to be linked.
    static func isBuildResidue(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return [".o", ".a", ".lnk", ".d", ".gz", ".i", ".chk", ".new", ".efi"].contains { name.hasSuffix($0) && path != "common/config.gz" }
            || (name.hasPrefix(".") && !path.hasPrefix("include/compat/.xlat/")) || path.hasPrefix("tools/")
            || path.hasPrefix("scripts/") || path.hasPrefix("include/config/") || path.hasSuffix("/mkelf32")
            || path.hasSuffix("/mkreloc")
    }

    /// True for files that the last link reads, and no object.
    static func isLinkInput(_ path: String) -> Bool { path.hasSuffix(".lds") }

    /// The object's name for the name of the compiler's output.
    ///
    /// With unique symbols (from 4.15 on) the compiler writes `.kernel.o.tmp`, and objcopy makes `kernel.o` of it.
    /// Other names with a dot belong to the last link (`.xen-syms.0.o`): nil.
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

    /// The macro that marks objects whose sections the build renames to `.init…` after compiling.
    static func isInitOnly(_ arguments: CompilerArguments) -> Bool { arguments.defines.contains("INIT_SECTIONS_ONLY") }

    /// A word for a patched file that no object depends on, or nil when that is a surprise.
    ///
    /// - Parameters:
    ///   - path: relative to `xen/`.
    ///   - architecture: as `make XEN_TARGET_ARCH=` names it.
    static func reasonNotBuilt(_ path: String, architecture: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        let name = parts.last ?? ""
        if [".md", ".txt", ".rst", ".pandoc", ".markdown"].contains(where: { name.hasSuffix($0) })
            || ["COPYING", "README", "MAINTAINERS", ".gitignore"].contains(name)
        { return "it is documentation" }
        if isForeign(parts, to: architecture) { return "it is for another architecture" }
        if parts.first == "test" { return "it is a test of Xen's own" }
        if name.hasPrefix("Kconfig") { return "the configuration stays as it is; a new default does not reach an option that is set already" }
        if isMakefile(path) { return "every object is compiled as before" }
        return nil
    }

    static func isMakefile(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        return name.hasPrefix("Makefile") || name.hasSuffix(".mk")
    }
}
