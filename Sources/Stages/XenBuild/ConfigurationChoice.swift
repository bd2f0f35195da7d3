import SystemPackage
import WorkFiles
import XenSource

/// The configuration for a run: the user's, the tree's, the running hypervisor's, or the tree's default.
struct ConfigurationChoice: Sendable {
    /// The text of the `.config` to start from; nil for the tree's default.
    let text: String?
    /// Where the configuration comes from, for messages.
    let origin: String
    let xenDebug: Bool
    let architecture: String
    let architectureOptions: [String: String]

    /// - Throws: `XenSourceError` when the file can't be used. That happens before anything is built.
    init(_ request: BuildRequest) throws {
        xenDebug = request.xenDebug
        architecture = request.architecture
        architectureOptions = request.architectureOptions
        guard let path = try request.configuration ?? Self.ownConfiguration(of: request) else {
            text = request.runningConfiguration
            origin = text == nil ? "the default configuration" : "the configuration in xen-syms"
            if let text { try check(KernelConfiguration(text: text)) }
            return
        }
        origin = path.string
        text = try WorkFiles.readText(path)
        try check(try KernelConfiguration(contentsOf: path))
    }

    private func check(_ configuration: KernelConfiguration) throws(XenSourceError) {
        try configuration.check(file: origin, architecture: architecture, options: architectureOptions)
    }

    /// The `.config` that a build in place left. It is ignored if it is for another architecture: one tree may be used for several.
    private static func ownConfiguration(of request: BuildRequest) throws(XenSourceError) -> FilePath? {
        let path = request.tree.hypervisor.appending(".config")
        guard WorkFiles.isReadableFile(path) else { return nil }
        let own = try KernelConfiguration(contentsOf: path).architectureName(by: request.architectureOptions)
        return own == nil || own == request.architecture ? path : nil
    }

    /// Part of the prepared tree's key.
    var identity: String { (xenDebug ? "debug\n" : "\n") + (text ?? "default") }

    /// Writes `.config` and lets the tree's Kconfig complete it.
    /// - Returns: the variables that every later make needs in order to read the configuration in the same way.
    func configure(_ make: MakeCommand, logs: FilePath, side: String) async throws -> [String: String] {
        let path = make.top.appending("xen/.config")
        let log = logs.appending("configure-\(side).log")
        var environment: [String: String] = [:]
        func runMake(_ target: String) async throws {
            guard try await make.run(["-j\(make.request.jobs)", target], log: log, adding: environment) else {
                throw BuildError.fromLog("the \(side) tree can't be configured", log: log)
            }
        }
        func read() throws -> KernelConfiguration { try KernelConfiguration(contentsOf: path) }
        if let text {
            environment = BuildSystemQuirks.environment(for: KernelConfiguration(text: text), debug: false)
            try WorkFiles.write(Array(text.utf8), to: path)
        } else {
            try await runMake("defconfig")
            for lines in [BuildSystemQuirks.livePatchingOn, BuildSystemQuirks.expertOn + BuildSystemQuirks.livePatchingOn]
            where try !read().hasLivePatching {
                try append(lines, to: path)
                environment = BuildSystemQuirks.environment(for: try read(), debug: false)
                try await runMake("olddefconfig")
            }
        }
        if xenDebug { try append(["CONFIG_DEBUG=y"], to: path) }
        try await runMake("olddefconfig")
        let configured = try read()
        try check(configured)
        return environment.merging(BuildSystemQuirks.environment(for: configured, debug: xenDebug)) { $1 }
    }

    /// Kconfig uses the last value of an option.
    private func append(_ lines: [String], to path: FilePath) throws {
        let names = lines.compactMap { $0.split(separator: "=").first }
        let kept = try WorkFiles.readText(path)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .filter { line in !names.contains { line.hasPrefix("\($0)=") || line == "# \($0) is not set" } }
        try WorkFiles.write(Array((kept.joined(separator: "\n") + "\n" + lines.joined(separator: "\n") + "\n").utf8), to: path)
    }
}
