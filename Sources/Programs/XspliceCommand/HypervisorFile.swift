import LoaderModel
import SystemPackage
import TargetArchitecture
import XenSource

/// A hypervisor that is there already, as options name it.
struct HypervisorFile {
    /// `--xen-syms`.
    var xenSyms: String
    /// `-s`, for one whose version or payload format is not what its own code says.
    var source: String?

    /// A hypervisor, its processor, and how it loads payloads.
    struct Known {
        var image: XenImage
        var architecture: any TargetArchitecture
        var loader: HypervisorLoader
    }

    /// - Throws: `XenImageError`, `XenSourceError`, `UsageError`.
    func read() throws -> Known {
        let image = try XenImage.read(FilePath(xenSyms))
        guard let architecture = Architectures.of(machine: image.machine) else {
            throw UsageError(
                "\(xenSyms): is for a processor that this version does not know (ELF machine \(image.machine))",
                help: "it knows \(Architectures.names)")
        }
        guard let source else {
            return Known(image: image, architecture: architecture, loader: try HypervisorLoader(of: image, architecture: architecture))
        }
        let tree = try recogniseTree(at: FilePath(source))
        return Known(image: image, architecture: architecture, loader: HypervisorLoader(version: tree.version, abi: tree.abi))
    }
}
