extension XenImage {
    /// The hypervisor's source folder (`xen/`) as its compiler knew it, according to the names of headers among the hypervisor's texts:
    /// `/home/me/xen/xen` for `/home/me/xen/xen/include/xen/sched.h`. The folder need not exist on this machine.
    ///
    /// Up to 4.16, makefiles name the folder of headers in full (`-I$(BASEDIR)/include` in `xen/Rules.mk`), and `__FILE__` in a header
    /// begins with it. Later ones name it relative to `xen/`, which is then `.`.
    ///
    /// - Returns: what most of the names begin with; nil when there are none.
    package var sourceFolder: String? {
        var counts: [String: Int] = [:]
        for name in Set(constants(containing: SourceFolder.mark)) {
            if let folder = SourceFolder.folder(ofHeader: name) { counts[folder, default: 0] += 1 }
        }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }
}

enum SourceFolder {
    /// The folder of headers, in the middle of a path.
    static let mark = "/include/"

    /// The folder of the hypervisor's source that a header's path begins with.
    ///
    /// - Returns: nil for a path that is not of one of the hypervisor's own headers.
    static func folder(ofHeader path: String) -> String? {
        guard path.hasSuffix(".h"), let place = path.ranges(of: mark).last else { return nil }
        let parts = path[place.upperBound...].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, let first = parts.first else { return nil }
        let folder = path[..<place.lowerBound]
        if ["xen", "public", "acpi", "crypto", "compat"].contains(first) || first.hasPrefix("asm-") { return String(folder) }
        guard first == "asm" else { return nil }
        // `arch/x86/include/asm/bug.h`, or, up to 4.15, the link `include/asm`.
        let folders = folder.split(separator: "/", omittingEmptySubsequences: false)
        guard folders.count > 2, folders[folders.count - 2] == "arch" else { return String(folder) }
        return folders.dropLast(2).joined(separator: "/")
    }
}
