/// Another way to build a release of Xen: with another compiler, or with another configuration.
package struct XenFlavour: Sendable, Equatable {
    package enum Compiler: Sendable, Equatable {
        /// GCC of that major version, from that suite of Debian.
        case gcc(Int, suite: String)
        /// Clang of that major version, from this machine's Debian.
        case clang(Int)
    }

    /// In one word, for files, options and tables: `gcc-15`, `rich`.
    package var name: String
    /// nil means the compiler of the default build.
    package var compiler: Compiler?
    /// Kconfig options on top of the default configuration.
    package var options: [String: String] = [:]
    /// Variables for make, which the program is given as well.
    package var makeVariables: [String] = []
    /// Whether the objects are in another folder than the source, which has no configuration then.
    package var isOutOfTree = false

    static func gcc(_ version: Int, of suite: String) -> XenFlavour { XenFlavour(name: "gcc-\(version)", compiler: .gcc(version, suite: suite)) }
    static func clang(_ version: Int) -> XenFlavour { XenFlavour(name: "clang-\(version)", compiler: .clang(version)) }

    /// What a hypervisor may have, beyond the default. Flask is there, and is not what decides: that would take a policy.
    static let rich = XenFlavour(
        name: "rich",
        options: enabled([
            "EXPERT", "UNSUPPORTED", "PV32", "XSM", "XSM_FLASK", "XSM_FLASK_AVC_STATS", "XSM_SILO", "XSM_SILO_DEFAULT", "ARGO", "MEM_SHARING", "MEM_PAGING",
            "TBOOT", "PERF_COUNTERS", "HYPFS", "SHADOW_PAGING", "SCHED_CREDIT", "SCHED_CREDIT2", "SCHED_RTDS", "SCHED_ARINC653", "SCHED_NULL", "GDBSX",
        ]))
    /// The same with Xen's own checks.
    static let richDebug = XenFlavour(name: "rich-debug", options: rich.options.merging(DebianXen.debugOptions) { _, own in own })
    /// As little as a hypervisor of PV guests needs.
    static let lean = XenFlavour(
        name: "lean",
        options: enabled(["EXPERT"]).merging(
            disabled([
                "HVM", "SHADOW_PAGING", "HYPFS", "XENOPROF", "CRASH_DEBUG", "GDBSX", "SCHED_CREDIT", "SCHED_RTDS", "SCHED_ARINC653", "SCHED_NULL",
            ])
        ) { own, _ in own })

    /// As packages are built: in a folder of its own, with flags for hardening, types in units of their own, and a version of the vendor.
    static let packaged = XenFlavour(
        name: "packaged",
        makeVariables: [
            "EXTRA_CFLAGS_XEN_CORE=-fdebug-types-section -fwrapv -fno-delete-null-pointer-checks -fstack-clash-protection -fcf-protection=branch -fno-tree-sra",
            "XEN_VENDORVERSION=-9+deb12u1",
        ],
        isOutOfTree: true)

    private static func enabled(_ names: [String]) -> [String: String] { Dictionary(uniqueKeysWithValues: names.map { ("CONFIG_\($0)", "y") }) }
    private static func disabled(_ names: [String]) -> [String: String] { Dictionary(uniqueKeysWithValues: names.map { ("CONFIG_\($0)", "n") }) }
}
