import SystemPackage

extension ChangeOutcome {
    /// The texts of the payload that name a place of this machine. A payload must have none: it is the same wherever it is made.
    ///
    /// - Parameters:
    ///   - places: folders to look for: the cache, the source, the home folder.
    ///   - hypervisorFolder: the folder `xen/` that the hypervisor was built in. The hypervisor's own texts name it, so the payload's may.
    package func texts(naming places: [FilePath], except hypervisorFolder: FilePath? = nil) -> [String] {
        let names = places.map(\.string).filter { $0.count > 1 }
        return (payload ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.filter { text in
            let rest = hypervisorFolder.map { text.replacing($0.string + "/", with: "") } ?? text
            return names.contains { rest.contains($0) }
        }
    }
}
