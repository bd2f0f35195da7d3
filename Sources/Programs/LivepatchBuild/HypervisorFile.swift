import LoaderModel
import SystemPackage
import TargetArchitecture
import XenSource

/// A hypervisor that is there already, as options name it.
package struct HypervisorFile {
    /// `--xen-syms`.
    var xenSyms: String
    /// `-s`, for one whose version or payload format is not what its own code says.
    var source: String?

    package init(xenSyms: String, source: String?) { (self.xenSyms, self.source) = (xenSyms, source) }

    /// A hypervisor, its processor, and how it loads payloads.
    package struct Known {
        package var image: XenImage
        package var architecture: any TargetArchitecture
        package var loader: HypervisorLoader
    }

    /// - Throws: `XenImageError`, `XenSourceError`, `UsageError`.
    package func read() throws -> Known {
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
