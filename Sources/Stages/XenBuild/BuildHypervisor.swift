import SystemPackage
import WorkFiles

/// Builds the whole original hypervisor in a private tree, for users who have no `xen-syms`. It takes a minute or more the first time.
/// The result is kept.
///
/// The running hypervisor must have been built from the same source, configuration and tools. A later stage checks that.
/// - Returns: the path of `xen-syms`. `xen.gz` lies beside it.
/// - Throws: the same errors as `buildObjectPairs`.
package func buildHypervisor(
    _ request: BuildRequest, progress: @escaping @Sendable (BuildProgress) -> Void
) async throws -> FilePath {
    let preparation = try await TreePreparation(request, progress: progress)
    let original = try await preparation.prepared()
    let paths = PathNaming(request, preparation.toolchain)
    // Its texts have to name the same folder as the objects here.
    let namesTree = paths.canReplace && original.objects.values.contains { $0.command.namesTree }
    let key = ContentKey.of(["hypervisor", original.key] + (namesTree ? [paths.hypervisorFolder] : []))
    let place = preparation.cache.tree(key)
    let lock = try await FileLock.acquire(preparation.cache.lock(key)) { progress(BuildProgress(.waiting)) }
    defer { withExtendedLifetime(lock) {} }
    if let image = try await place.completed(jobs: request.jobs)?.appending("tree/xen/xen-syms") { return image }
    let folder = try place.begin(), image = folder.appending("tree/xen/xen-syms")
    progress(BuildProgress(.hypervisor))
    do {
        let top = folder.appending("tree"), log = request.logs.appending("hypervisor.log")
        try preparation.snapshot.copy(to: top)
        try WorkFiles.makeFolder(folder.appending("bin"))
        let make = MakeCommand(
            request: request, toolchain: preparation.toolchain, runner: preparation.runner, top: top,
            tools: folder.appending("bin"))
        try make.installRecorder()
        if preparation.snapshot.wasBuilt {
            try await make.distclean(log: request.logs.appending("distclean-hypervisor.log"))
        }
        try WorkFiles.write(WorkFiles.read(original.xen.appending(".config")), to: top.appending("xen/.config"))
        let environment = BuildSystemQuirks.environment(for: original.configuration, debug: request.xenDebug)
        let flags = namesTree ? paths.replacing(top: top) : []
        guard try await make.runForReal(["-j\(request.jobs)"], compilerFlags: flags, log: log, adding: environment),
            WorkFiles.isReadableFile(image)
        else { throw BuildError.fromLog("the hypervisor does not build", log: log) }
        try await place.complete(folder, jobs: request.jobs)
        return image
    } catch {
        place.removeAll()
        throw error
    }
}
